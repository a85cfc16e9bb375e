import { ClientError, KafkaError } from '../../src/client/index.ts';
import type { ClientMachine } from './client-machine.ts';
import type { WorkloadContext } from './workload.ts';

/**
 * Acts again and again on one machine, with pauses between, until stopped. An act may fail as clients of a cluster under
 * faults do; any other error fails the run.
 */
export class Acting {
  #isStopped = false;
  #isActing = false;

  constructor(context: WorkloadContext, machine: ClientMachine, act: () => Promise<void>) {
    this.#run(context, machine, act).catch((error: unknown) =>
      context.recorder.unexpected.push(error as Error),
    );
  }

  /** An act is under way. */
  get isActing(): boolean {
    return this.#isActing;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(
    { random, pauseMs }: WorkloadContext,
    machine: ClientMachine,
    act: () => Promise<void>,
  ): Promise<void> {
    for (;;) {
      await machine.sleep(random.exponential(pauseMs));
      if (this.#isStopped) return;
      this.#isActing = true;
      try {
        await act();
      } catch (error) {
        if (!(error instanceof KafkaError) && !(error instanceof ClientError)) throw error;
      } finally {
        this.#isActing = false;
      }
    }
  }
}
