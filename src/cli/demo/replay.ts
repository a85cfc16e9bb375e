import { setImmediate as nextTurn } from 'node:timers/promises';
import { partitionOfKey } from '../../client/murmur2.ts';
import type { Producer } from '../../client/node.ts';
import type { FlightFacts } from './flight-facts.ts';
import type { Flight } from './flights.ts';
import { Unavailability } from './unavailability.ts';

/** What the replay needs of a producer. */
export type BulkProducer = Pick<Producer, 'sendMany' | 'ready' | 'flush'>;

/** Flights that are handed to the producer in one go: large enough to be cheap, small enough to be smooth. */
const BURST_RECORDS = 3000;

/** Sends flights to a topic, keyed by origin, and keeps count of what is acknowledged. */
export class Replay {
  readonly unavailability = new Unavailability();
  readonly #producer: BulkProducer;
  readonly #topic: string;
  readonly #partitionCount: number;
  readonly #partitions = new Map<string, number>();
  readonly #milestones: { readonly records: number; readonly resolve: () => void }[] = [];
  #acknowledged = 0;
  #failure: Error | undefined;
  #startedMs = 0;
  #lastAckMs = 0;

  constructor(producer: BulkProducer, topic: string, partitionCount: number) {
    this.#producer = producer;
    this.#topic = topic;
    this.#partitionCount = partitionCount;
  }

  get acknowledged(): number {
    return this.#acknowledged;
  }

  get startedMs(): number {
    return this.#startedMs;
  }

  /** From the first send to the last acknowledgement. */
  get seconds(): number {
    return (this.#lastAckMs - this.#startedMs) / 1000;
  }

  /** Resolves once so many records are acknowledged. */
  reached(records: number): Promise<void> {
    if (this.#acknowledged >= records) return Promise.resolve();
    return new Promise((resolve) => this.#milestones.push({ records, resolve }));
  }

  /** Sends them all; resolves when all are acknowledged. `facts` takes note of what the file said. */
  async run(flights: AsyncIterable<Flight[]>, facts: FlightFacts): Promise<void> {
    for await (const chunk of flights) {
      if (this.#startedMs === 0) this.#startedMs = performance.now();
      for (let from = 0; from < chunk.length; from += BURST_RECORDS) {
        await this.#producer.ready();
        if (this.#failure) throw this.#failure;
        this.#sendBurst(chunk.slice(from, from + BURST_RECORDS), facts);
        // Acknowledgements are read between bursts, not only when the buffer is full.
        await nextTurn();
      }
    }
    await this.#producer.flush();
    if (this.#failure) throw this.#failure;
  }

  #sendBurst(flights: readonly Flight[], facts: FlightFacts): void {
    const lists = new Map<number, { topic: string; key: string; value: string }[]>();
    for (const flight of flights) {
      facts.add(flight);
      const partition = this.#partitionOf(flight.origin);
      const record = { topic: this.#topic, key: flight.origin, value: JSON.stringify(flight) };
      const list = lists.get(partition);
      if (list) list.push(record);
      else lists.set(partition, [record]);
    }
    for (const [partition, records] of lists) this.#send(partition, records);
  }

  #send(partition: number, records: { topic: string; key: string; value: string }[]): void {
    this.unavailability.sent(partition, records.length, performance.now());
    this.#producer.sendMany(records).then(
      () => this.#onAcknowledged(partition, records.length),
      (error: Error) => {
        this.#failure ??= error;
      },
    );
  }

  #onAcknowledged(partition: number, records: number): void {
    this.#lastAckMs = performance.now();
    this.unavailability.acknowledged(partition, records, this.#lastAckMs);
    this.#acknowledged += records;
    for (const milestone of this.#milestones)
      if (this.#acknowledged >= milestone.records) milestone.resolve();
  }

  /** Where the producer's own partitioner puts the key: the same function, remembered. */
  #partitionOf(origin: string): number {
    let partition = this.#partitions.get(origin);
    if (partition === undefined) {
      partition = partitionOfKey(new TextEncoder().encode(origin), this.#partitionCount);
      this.#partitions.set(origin, partition);
    }
    return partition;
  }
}
