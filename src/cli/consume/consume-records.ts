import type { ConsumerRecord, PartitionOffset, TopicPartition } from '../../client/node.ts';

export type BytesRecord = ConsumerRecord<Uint8Array, Uint8Array>;

/** What this command needs of a consumer. */
export interface RecordSource {
  poll(timeoutMs: number, options: { readonly signal: AbortSignal }): Promise<BytesRecord[]>;
  assignment(): TopicPartition[];
  position(partition: TopicPartition): Promise<number>;
}

export interface ConsumeGoal {
  /** Stop after so many records. */
  readonly recordsMax: number;
  /** Where to stop in each partition of the topic, by number; undefined goes on for ever. */
  readonly endOffsets: readonly number[] | undefined;
  /** Only these are written and counted; all of them by default. */
  readonly matches?: (record: BytesRecord) => boolean;
  /** The group's committed offsets by partition, for those that other members read. */
  readonly committed?: () => Promise<ReadonlyMap<number, number>>;
}

const POLL_MS = 500;

/** The next offset of each partition after what was written out: what a group may commit. */
export class WrittenOffsets {
  readonly #next = new Map<number, PartitionOffset>();

  add(records: readonly BytesRecord[]): void {
    for (const { topic, partition, offset, leaderEpoch } of records) {
      this.#next.set(partition, { topic, partition, offset: offset + 1, leaderEpoch });
    }
  }

  /** Takes what has not been taken before, of these partitions or of all. */
  take(partitions: readonly TopicPartition[] = [...this.#next.values()]): PartitionOffset[] {
    return partitions.flatMap(({ partition }) => {
      const offset = this.#next.get(partition);
      this.#next.delete(partition);
      return offset === undefined ? [] : [offset];
    });
  }
}

/**
 * Polls and writes until the goal is reached or the signal fires. `write` gets the records to write and all that are
 * done with then, and resolves when the reader of the output is ready for more. What was polled beyond the goal is
 * not written.
 */
export async function consumeRecords(
  source: RecordSource,
  write: (records: readonly BytesRecord[], done: readonly BytesRecord[]) => Promise<void>,
  goal: ConsumeGoal,
  signal: AbortSignal,
): Promise<void> {
  const ends = goal.endOffsets && new EndWatch(source, goal.endOffsets, goal.committed);
  let left = goal.recordsMax;
  let isIdle = false;
  while (left > 0 && !signal.aborted) {
    if (await ends?.reached(isIdle)) return;
    const polled = await pollUnlessAborted(source, signal);
    const wanted = ends ? polled.filter((record) => ends.includes(record)) : polled;
    const { records, done } = select(wanted, left, goal.matches);
    isIdle = done.length === 0;
    if (isIdle) continue;
    left -= records.length;
    await write(records, done);
  }
}

/** The first records that match, at most so many, and all up to the last of them (or to the end). */
function select(
  wanted: readonly BytesRecord[],
  recordsMax: number,
  matches: ConsumeGoal['matches'],
): { readonly records: readonly BytesRecord[]; readonly done: readonly BytesRecord[] } {
  if (!matches) {
    const records = wanted.slice(0, recordsMax);
    return { records, done: records };
  }
  const records: BytesRecord[] = [];
  for (const [i, record] of wanted.entries()) {
    if (matches(record)) records.push(record);
    if (records.length === recordsMax) return { records, done: wanted.slice(0, i + 1) };
  }
  return { records, done: wanted };
}

async function pollUnlessAborted(source: RecordSource, signal: AbortSignal): Promise<BytesRecord[]> {
  try {
    return await source.poll(POLL_MS, { signal });
  } catch (error) {
    if (signal.aborted) return [];
    throw error;
  }
}

/** Whether every partition is read up to the end it had: by this consumer, or by other members of its group. */
class EndWatch {
  readonly #source: RecordSource;
  readonly #endOffsets: readonly number[];
  readonly #committed: ConsumeGoal['committed'];

  constructor(source: RecordSource, endOffsets: readonly number[], committed: ConsumeGoal['committed']) {
    this.#source = source;
    this.#endOffsets = endOffsets;
    this.#committed = committed;
  }

  includes({ partition, offset }: BytesRecord): boolean {
    return offset < (this.#endOffsets[partition] ?? 0);
  }

  /** What the others have committed is asked for only in an idle moment. */
  async reached(isIdle: boolean): Promise<boolean> {
    const owned = this.#source.assignment();
    // A member of a group waits for its first partitions: they say where it begins.
    if (owned.length === 0) return this.#endOffsets.every((end) => end === 0);
    for (const which of owned) {
      if ((await this.#source.position(which)) < (this.#endOffsets[which.partition] ?? 0)) return false;
    }
    const ownedNumbers = new Set(owned.map(({ partition }) => partition));
    const others = [...this.#endOffsets.entries()].filter(
      ([partition, end]) => end > 0 && !ownedNumbers.has(partition),
    );
    if (others.length === 0 || !this.#committed) return true;
    if (!isIdle) return false;
    const committed = await this.#committed();
    return others.every(([partition, end]) => (committed.get(partition) ?? 0) >= end);
  }
}
