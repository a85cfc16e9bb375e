import type { ConsumerRecord, Odradek } from '../../../src/client/node.ts';
import { string } from '../../../src/client/node.ts';
import type { SeenRecord } from '../../checker/history.ts';
import { pollAgain } from '../../workloads/poll-again.ts';
import type { ClientContext } from './context.ts';

const POLL_MS = 500;

export const seenRecord = ({
  topic,
  partition,
  offset,
  value,
}: ConsumerRecord<Uint8Array, string>): SeenRecord => ({
  partition: `${topic}-${partition}`,
  offset,
  value: value ?? '',
});

/** A consumer without a group that follows all partitions from the start on. */
export class RealReader {
  readonly #name: string;
  readonly #context: ClientContext;
  readonly #loop: Promise<void>;
  #isStopped = false;

  constructor(name: string, client: Odradek, context: ClientContext) {
    this.#name = name;
    this.#context = context;
    this.#loop = this.#run(client).catch((error: unknown) => {
      context.recorder.unexpected.push(error as Error);
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loop;
  }

  async #run(client: Odradek): Promise<void> {
    const { topic, partitions, recorder, availability } = this.#context;
    const consumer = client.consumer({ value: string, autoOffsetReset: 'earliest' });
    await consumer.assign(Array.from({ length: partitions }, (_, partition) => ({ topic, partition })));
    while (!this.#isStopped) {
      const records = await pollAgain(consumer, POLL_MS);
      for (const { partition } of records) availability.consumed(partition);
      if (records.length > 0)
        recorder.add({ type: 'poll', reader: this.#name, records: records.map(seenRecord) });
    }
  }
}
