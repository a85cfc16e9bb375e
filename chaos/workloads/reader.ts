import type { Consumer, ConsumerRecord } from '../../src/client/index.ts';
import { string } from '../../src/client/index.ts';
import type { SeenRecord } from '../checker/history.ts';
import type { ClientMachine } from './client-machine.ts';
import type { Workload, WorkloadContext, WorkloadKind } from './workload.ts';

export type TextRecord = ConsumerRecord<Uint8Array, string>;

export const seenRecord = ({ topic, partition, offset, value }: TextRecord): SeenRecord => ({
  partition: `${topic}-${partition}`,
  offset,
  value: value ?? '',
});

/** A consumer without a group that follows all partitions from the start on; the pause is how long a poll waits. */
export const reader: WorkloadKind = {
  name: 'reader',
  pausesMs: [0, 500, 2000, 2000],
  start: (context) => new Reading(context),
};

class Reading implements Workload {
  readonly #context: WorkloadContext;
  readonly #client: ClientMachine;
  readonly #consumer: Consumer<Uint8Array, string>;
  #isStopped = false;

  constructor(context: WorkloadContext) {
    this.#context = context;
    this.#client = context.machine('r0');
    this.#consumer = this.#client.client().consumer({ value: string, autoOffsetReset: 'earliest' });
    this.#run().catch((error: unknown) => context.recorder.unexpected.push(error as Error));
  }

  stop(): void {
    this.#isStopped = true;
  }

  waitingFor(): string[] {
    return [];
  }

  async #run(): Promise<void> {
    const { topic, recorder, pauseMs } = this.#context;
    const all = Array.from({ length: topic.partitions }, (_, partition) => ({
      topic: topic.name,
      partition,
    }));
    await this.#consumer.assign(all);
    while (!this.#isStopped) {
      const records = (await this.#consumer.poll(pauseMs)).map(seenRecord);
      if (records.length > 0) recorder.add({ type: 'poll', reader: this.#client.processName, records });
    }
  }
}
