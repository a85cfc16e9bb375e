import type { ListedOffset, PartitionOffset, TopicPartition } from '../../client/node.ts';
import { UsageError } from '../run.ts';

/** Where reading begins: an end of the log, the group's committed offset, or an offset. */
export type Start = 'earliest' | 'latest' | 'committed' | number;

/** @throws UsageError for anything else: what nobody meant must not become a default */
export function parseStart(text: string): Start {
  if (text === 'earliest' || text === 'latest' || text === 'committed') return text;
  const offset = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(offset)) return offset;
  throw new UsageError(`--from is earliest, latest, committed or an offset (0, 1, ...), not "${text}"`);
}

/** What placing needs of a consumer. */
export interface Placeable {
  seek(to: PartitionOffset): void;
}

/**
 * Places a consumer at its start in each partition, the first time that it gets it: a partition that comes back after
 * a rebalance goes on from what was committed.
 */
export class StartOnce {
  readonly #consumer: Placeable;
  readonly #start: Start;
  readonly #offsets: ReadonlyMap<number, readonly [start: number, end: number]>;
  readonly #placed = new Set<number>();

  constructor(
    consumer: Placeable,
    start: Start,
    starts: readonly Pick<ListedOffset, 'partition' | 'offset'>[],
    ends: readonly Pick<ListedOffset, 'offset'>[],
  ) {
    this.#consumer = consumer;
    this.#start = start;
    this.#offsets = new Map(
      starts.map(({ partition, offset }, index) => [partition, [offset, ends[index]?.offset ?? offset]]),
    );
    this.#check();
  }

  place(partitions: readonly TopicPartition[]): void {
    if (this.#start === 'committed') return;
    for (const { topic, partition } of partitions) {
      if (this.#placed.has(partition)) continue;
      this.#placed.add(partition);
      // A partition added since: it has nothing but what is new.
      const [start, end] = this.#offsets.get(partition) ?? [0, 0];
      this.#consumer.seek({ topic, partition, offset: this.#offsetIn(start, end) });
    }
  }

  /** Of several partitions, those that do not reach to the offset begin at their end. */
  #offsetIn(start: number, end: number): number {
    if (this.#start === 'earliest') return start;
    return this.#start === 'latest' ? end : Math.min(Math.max(Number(this.#start), start), end);
  }

  #check(): void {
    const [only, another] = this.#offsets;
    if (typeof this.#start !== 'number' || only === undefined || another !== undefined) return;
    const [partition, [start, end]] = only;
    if (this.#start >= start && this.#start <= end) return;
    throw new Error(
      `partition ${partition} has no offset ${this.#start}: it holds ${start} to ${end - 1}, next ${end}`,
    );
  }
}
