import type { Consumer } from '../../src/client/index.ts';
import { ClientError, string } from '../../src/client/index.ts';
import type { ClientMachine } from './client-machine.ts';
import { pollAgain } from './poll-again.ts';
import type { TextRecord } from './recorder.ts';
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
  /** What an assignment or a poll threw, where that is none of the run's failures; else it throws the error again. */
  readonly onError?: (error: unknown, consumer: TextConsumer, client: ClientMachine) => void | Promise<void>;
  /** Whether the history is told what it read; true by default. */
  readonly isRecorded?: boolean;
  /** What it read, also where the history is not told. */
  readonly onRecords?: (records: readonly TextRecord[]) => void;
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
    const { afterMs = 0, between, onError } = this.#options;
    await this.#client.sleep(afterMs);
    while (!this.#isStopped) {
      try {
        await this.#turn();
        await between?.(this.#consumer, this.#client);
      } catch (error) {
        if (onError === undefined) throw error;
        await onError(error, this.#consumer, this.#client);
      }
    }
  }

  async #turn(): Promise<void> {
    const { recorder, pauseMs } = this.#context;
    const { isRecorded = true, onRecords } = this.#options;
    const { name: topic, partitions: count } = this.#topic;
    if (this.#consumer.assignment().length < count) await this.#assign(topic, count);
    const read = await pollAgain(this.#consumer, pauseMs);
    onRecords?.(read);
    if (read.length === 0 || !isRecorded) return;
    const records = read.map((record) => recorder.seen(record));
    recorder.add({ type: 'poll', reader: this.#client.processName, records });
  }

  /** The nodes that it reaches may not know of added partitions for as long as faults last: it asks again with its next turn. */
  async #assign(topic: string, count: number): Promise<void> {
    const all = Array.from({ length: count }, (_, partition) => ({ topic, partition }));
    try {
      await this.#consumer.assign(all);
    } catch (error) {
      const isAhead = error instanceof ClientError && error.code === 'INVALID_STATE';
      if (!isAhead || this.#consumer.assignment().length === 0) throw error;
    }
  }
}
