import type { Admin, ListedOffset, PartitionOffset, TopicPartition } from '../../client/node.ts';
import { UsageError } from '../run.ts';
import { parseTimestamp } from '../timestamp.ts';

/** A place in every partition: an end of the log, an offset, so many before the end, or the first record of a time. */
export type Place =
  | 'earliest'
  | 'latest'
  | { readonly offset: number }
  | { readonly last: number }
  | { readonly timestamp: number };

/** Where reading begins: there, or at the group's committed offset. */
export type Start = Place | 'committed';

/** @throws UsageError for anything else: what nobody meant must not become a default */
export function parseStart(text: string): Start {
  if (text === 'earliest' || text === 'latest' || text === 'committed') return text;
  const last = /^-([1-9]\d*)$/.exec(text)?.[1];
  const place = last === undefined ? offsetOrTime(text) : { last: Number(last) };
  if (place) return place;
  throw new UsageError(
    '--from is earliest, latest, committed, an offset (0, 1, ...), -N for the last N of each partition, or @TIME ' +
      `(milliseconds or ISO 8601), not "${text}"`,
  );
}

/** Where reading ends, exclusive. @throws UsageError */
export function parseEnd(text: string): Place {
  const place = text === 'latest' ? text : offsetOrTime(text);
  if (place) return place;
  throw new UsageError(
    `--to is latest, an offset (0, 1, ...) or @TIME (milliseconds or ISO 8601), not "${text}"`,
  );
}

function offsetOrTime(text: string): Place | undefined {
  const offset = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(offset)) return { offset };
  const timestamp = text.startsWith('@') ? parseTimestamp(text.slice(1)) : undefined;
  return timestamp === undefined ? undefined : { timestamp };
}

/** The ends of the partitions to read, in the same order. */
export interface LogEnds {
  readonly starts: readonly ListedOffset[];
  readonly ends: readonly ListedOffset[];
}

/** A place as an offset of each partition, by number. Partitions that do not reach to it have their end there. */
export async function offsetsOf(
  admin: Pick<Admin, 'listOffsets'>,
  place: Place,
  { starts, ends }: LogEnds,
): Promise<Map<number, number>> {
  const isTime = typeof place === 'object' && 'timestamp' in place;
  const listed = isTime ? await admin.listOffsets(starts, place) : [];
  return new Map(
    starts.map(({ partition, offset: start }, i) => {
      const end = ends[i]?.offset ?? start;
      if (place === 'earliest') return [partition, start];
      if (place === 'latest') return [partition, end];
      if ('last' in place) return [partition, Math.max(start, end - place.last)];
      const found = 'offset' in place ? place.offset : (listed[i]?.offset ?? -1);
      // No record at or after the time.
      return [partition, found < 0 ? end : Math.min(Math.max(found, start), end)];
    }),
  );
}

/** Of the one partition asked for, an offset that it does not hold is an error. @throws Error */
export function checkOffset(start: Start, { starts, ends }: LogEnds): void {
  const [only, another] = starts;
  if (typeof start !== 'object' || !('offset' in start) || only === undefined || another !== undefined)
    return;
  const end = ends[0]?.offset ?? only.offset;
  if (start.offset >= only.offset && start.offset <= end) return;
  throw new Error(
    `partition ${only.partition} has no offset ${start.offset}: it holds ${only.offset} to ${end - 1}, next ${end}`,
  );
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
  readonly #offsets: ReadonlyMap<number, number> | undefined;
  readonly #placed = new Set<number>();

  /** Without offsets the consumer begins where its group was. */
  constructor(consumer: Placeable, offsets: ReadonlyMap<number, number> | undefined) {
    this.#consumer = consumer;
    this.#offsets = offsets;
  }

  place(partitions: readonly TopicPartition[]): void {
    if (this.#offsets === undefined) return;
    for (const { topic, partition } of partitions) {
      if (this.#placed.has(partition)) continue;
      this.#placed.add(partition);
      // A partition added since: it has nothing but what is new.
      this.#consumer.seek({ topic, partition, offset: this.#offsets.get(partition) ?? 0 });
    }
  }
}
