import type { Consumer, ConsumerRecord } from '../../src/client/index.ts';
import { string } from '../../src/client/index.ts';
import type { SeenRecord } from '../checker/history.ts';
import type { ClientMachine } from './client-machine.ts';
import type { Recorder } from './recorder.ts';

const POLL_MS = 500;

export type TextRecord = ConsumerRecord<Uint8Array, string>;

export const seenRecord = ({ topic, partition, offset, value }: TextRecord): SeenRecord => ({
  partition: `${topic}-${partition}`,
  offset,
  value: value ?? '',
});

/** A consumer without a group that follows all partitions from the start on. */
export class Reading {
  readonly #client: ClientMachine;
  readonly #recorder: Recorder;
  readonly #consumer: Consumer<Uint8Array, string>;
  #isStopped = false;

  constructor(client: ClientMachine, topic: string, partitions: number, recorder: Recorder) {
    this.#client = client;
    this.#recorder = recorder;
    this.#consumer = client.client().consumer({ value: string, autoOffsetReset: 'earliest' });
    const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
    this.#run(all).catch((error: unknown) => recorder.unexpected.push(error as Error));
  }

  stop(): void {
    this.#isStopped = true;
  }

  async #run(partitions: { topic: string; partition: number }[]): Promise<void> {
    await this.#consumer.assign(partitions);
    while (!this.#isStopped) {
      const records = (await this.#consumer.poll(POLL_MS)).map(seenRecord);
      if (records.length > 0) this.#recorder.add({ type: 'poll', reader: this.#client.processName, records });
    }
  }
}
