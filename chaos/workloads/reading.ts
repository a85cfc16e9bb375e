import type { Consumer } from '../../src/client/index.ts';
import { string } from '../../src/client/index.ts';
import type { ClientMachine } from './client-machine.ts';
import type { WorkloadContext, WorkTopic } from './workload.ts';

export type TextConsumer = Consumer<Uint8Array, string>;

export interface ReadingOptions {
  /** Of its machine. */
  readonly name: string;
  /** The main topic by default. */
  readonly topic?: WorkTopic;
  /** How long after the start of the run it begins. */
  readonly afterMs?: number;
  /** How many records one poll returns at most. */
  readonly pollRecordsMax?: number;
  /** Between two polls, beside the waiting of the poll itself: to look away, or to move. */
  readonly between?: (consumer: TextConsumer, client: ClientMachine) => Promise<void>;
  /** What polls throw that is none of the run's failures. */
  readonly onError?: (error: unknown, consumer: TextConsumer) => void;
}

/** A consumer without a group that follows all partitions of a topic, also those added later, from the start on. */
export class Reading {
  readonly #context: WorkloadContext;
  readonly #options: ReadingOptions;
  readonly #topic: WorkTopic;
  readonly #client: ClientMachine;
  #consumer: TextConsumer;
  #isStopped = false;

  constructor(context: WorkloadContext, options: ReadingOptions) {
    this.#context = context;
    this.#options = options;
    this.#topic = options.topic ?? context.topic;
    this.#client = context.machine(options.name);
    this.#consumer = this.#connect();
    this.#begin();
  }

  stop(): void {
    this.#isStopped = true;
  }

  waitingFor(): string[] {
    return [];
  }

  /** Its process is killed, and another takes its machine and reads everything anew. */
  crash(): void {
    this.#client.machine.processCrash();
    this.#client.machine.restart();
    this.#consumer = this.#connect();
    this.#begin();
  }

  #connect(): TextConsumer {
    const { pollRecordsMax } = this.#options;
    const limits = pollRecordsMax === undefined ? {} : { pollRecordsMax };
    return this.#client.client().consumer({ value: string, autoOffsetReset: 'earliest', ...limits });
  }

  #begin(): void {
    this.#run().catch((error: unknown) => this.#context.recorder.unexpected.push(error as Error));
  }

  async #run(): Promise<void> {
    const { recorder, pauseMs } = this.#context;
    const { afterMs = 0, between } = this.#options;
    await this.#client.sleep(afterMs);
    let assigned = 0;
    while (!this.#isStopped) {
      if (assigned < this.#topic.partitions) assigned = await this.#assign();
      const records = (await this.#poll(pauseMs)).map((record) => recorder.seen(record));
      if (records.length > 0) recorder.add({ type: 'poll', reader: this.#client.processName, records });
      await between?.(this.#consumer, this.#client);
    }
  }

  async #assign(): Promise<number> {
    const { name: topic, partitions: count } = this.#topic;
    await this.#consumer.assign(Array.from({ length: count }, (_, partition) => ({ topic, partition })));
    return count;
  }

  async #poll(waitMs: number) {
    const { onError } = this.#options;
    try {
      return await this.#consumer.poll(waitMs);
    } catch (error) {
      if (onError === undefined) throw error;
      onError(error, this.#consumer);
      return [];
    }
  }
}
