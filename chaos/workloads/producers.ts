import { DeliveryError, type Producer } from '../../src/client/index.ts';
import type { Outcome } from '../checker/history.ts';
import type { Prng } from '../sim/prng.ts';
import type { ClientMachine } from './client-machine.ts';
import type { Workload, WorkloadContext, WorkloadKind } from './workload.ts';

/** One producer gives up while faults last, the other outlives them. */
const DELIVERY_TIMEOUTS_MS = [8_000, 120_000];
const BURST_MAX = 6;
const VALUE_PADDING_MAX = 120;

/** Idempotent acks=all producers that send bursts, so that several batches are in flight, and never wait. */
export const producers: WorkloadKind = {
  name: 'producers',
  pausesMs: [1000, 60, 500, 500, 1000, 1000],
  start: (context) => new Producers(context),
};

class Producers implements Workload {
  readonly #producing: readonly Producing[];

  constructor(context: WorkloadContext) {
    this.#producing = DELIVERY_TIMEOUTS_MS.map((timeoutMs, index) => {
      const name = `p${index}`;
      return new Producing(context, context.machine(name), context.random.fork(name), timeoutMs);
    });
  }

  stop(): void {
    for (const producing of this.#producing) producing.stop();
  }

  waitingFor(): string[] {
    const pending = this.#producing.flatMap((producing) => producing.pending);
    return pending.slice(0, 10).map((send) => `producer waits for the fate of ${send}`);
  }
}

class Producing {
  readonly #context: WorkloadContext;
  readonly #client: ClientMachine;
  readonly #random: Prng;
  readonly #producer: Producer;
  #sequence = 0;
  #isStopped = false;
  readonly #pending = new Map<number, string>();

  constructor(context: WorkloadContext, client: ClientMachine, random: Prng, deliveryTimeoutMs: number) {
    this.#context = context;
    this.#client = client;
    this.#random = random;
    this.#producer = client.client().producer({ lingerMs: 2, batchBytes: 600, deliveryTimeoutMs });
    void this.#run();
  }

  /** Records whose fate is not known yet, as text. */
  get pending(): string[] {
    return [...this.#pending.values()];
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      for (let count = this.#random.between(1, BURST_MAX); count > 0; count -= 1) this.#send();
      await this.#client.sleep(this.#random.exponential(this.#context.pauseMs));
    }
  }

  #send(): void {
    const { topic, recorder, onAcknowledged } = this.#context;
    const process = this.#client.processName;
    const sequence = this.#sequence++;
    const partition = this.#random.between(0, topic.partitions - 1);
    const value = `${process}-${sequence}-${'x'.repeat(this.#random.between(0, VALUE_PADDING_MAX))}`;
    const send = {
      type: 'send',
      process,
      sequence,
      partition: `${topic.name}-${partition}`,
      value,
    } as const;
    const settle = (outcome: Outcome, offset?: number) => {
      this.#pending.delete(sequence);
      recorder.add({ ...send, outcome, ...(offset === undefined ? {} : { offset }) });
    };
    this.#pending.set(sequence, `${send.partition} ${process}-${sequence}`);
    this.#producer.send({ topic: topic.name, partition, value }).then(
      ({ offset }) => {
        // -1: the broker had forgotten where, as it may of a batch that was repeated much later.
        settle('ok', offset < 0 ? undefined : offset);
        onAcknowledged(topic.name, partition, offset);
      },
      (error: unknown) => {
        if (!(error instanceof DeliveryError)) recorder.unexpected.push(error as Error);
        settle(error instanceof DeliveryError && !error.maybeWritten ? 'failed' : 'unknown');
      },
    );
  }
}
