import type { Entry, VoterSet } from './types.ts';
import { VoterSets } from './voter-set.ts';

/** Where a log begins: behind a snapshot, which says who votes as of it. */
export interface LogBase extends LogPosition {
  readonly voterSet: VoterSet;
}

/** The position of one entry. */
export interface LogPosition {
  readonly index: number;
  readonly epoch: number;
}

/**
 * The log as this node has it in memory: every entry above `base`, the last entry that a snapshot replaced.
 *
 * `generation` counts how often a suffix was cut away. A write's completion carries the generation in which it was
 * issued: one of an older generation proves nothing about the entries that now stand at those indexes (the append
 * ABA of etcd-io/raft), and is ignored; the write that did the cutting completes later.
 */
export class LogView {
  #baseIndex: number;
  #baseEpoch: number;
  #entries: Entry[];
  #syncedIndex: number;
  #handedOut: number;
  #generation = 0;
  #voterSets: VoterSets;

  /** A recovered log: everything in it is on the disk. */
  constructor(base: LogBase, entries: readonly Entry[]) {
    this.#baseIndex = base.index;
    this.#baseEpoch = base.epoch;
    this.#entries = [...entries];
    this.#voterSets = new VoterSets(base);
    for (const entry of entries) this.#voterSets.append(entry);
    this.#syncedIndex = this.lastIndex;
    this.#handedOut = this.lastIndex;
  }

  /** The last index that is only in a snapshot. */
  get baseIndex(): number {
    return this.#baseIndex;
  }

  get lastIndex(): number {
    return this.#baseIndex + this.#entries.length;
  }

  get lastEpoch(): number {
    return this.#entries.at(-1)?.epoch ?? this.#baseEpoch;
  }

  /** Everything up to here is on this node's disk. */
  get syncedIndex(): number {
    return this.#syncedIndex;
  }

  get generation(): number {
    return this.#generation;
  }

  /** Who votes by this log, committed or not, and which entry says so. */
  get voterSet(): VoterSet {
    return this.#voterSets.current;
  }
  get voterSetIndex(): number {
    return this.#voterSets.currentIndex;
  }

  /** Who votes as of an entry. */
  voterSetAt(index: number): VoterSet {
    return this.#voterSets.at(index);
  }

  /** Who votes as of an entry, and by all that came behind it. */
  voterSetsSince(index: number): VoterSet[] {
    return this.#voterSets.since(index);
  }

  /** The epoch of an entry; `undefined` when it is not in the log (any more). */
  epochAt(index: number): number | undefined {
    if (index === this.#baseIndex) return this.#baseEpoch;
    return this.#entries[index - this.#baseIndex - 1]?.epoch;
  }

  /** Entries from `first` to `last`, both inclusive; all of them must be in the log. */
  slice(first: number, last: number): Entry[] {
    if (first <= this.#baseIndex || last > this.lastIndex) {
      throw new Error(
        `entries ${first}..${last} are not in the log ${this.#baseIndex + 1}..${this.lastIndex}`,
      );
    }
    return this.#entries.slice(first - this.#baseIndex - 1, last - this.#baseIndex);
  }

  /** Entries from `first` on, as many as fit in `bytesMax`, but at least one if there is any. */
  batch(first: number, bytesMax: number): Entry[] {
    const start = first - this.#baseIndex - 1;
    if (start < 0) throw new Error(`entry ${first} lies behind the snapshot at ${this.#baseIndex}`);
    let end = start;
    let bytes = 0;
    while (end < this.#entries.length) {
      bytes += (this.#entries[end]?.payload.length ?? 0) + ENTRY_OVERHEAD_BYTES;
      if (bytes > bytesMax && end > start) break;
      end++;
    }
    return this.#entries.slice(start, end);
  }

  /** Is (lastIndex, lastEpoch) of another log at least as up to date as this one (Raft 5.4.1)? */
  isUpToDate(lastIndex: number, lastEpoch: number): boolean {
    return lastEpoch > this.lastEpoch || (lastEpoch === this.lastEpoch && lastIndex >= this.lastIndex);
  }

  /** Adds entries behind the last one. */
  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index !== this.lastIndex + 1 || entry.epoch < this.lastEpoch) {
        throw new Error(
          `entry (${entry.index}, epoch ${entry.epoch}) does not follow (${this.lastIndex}, epoch ${this.lastEpoch})`,
        );
      }
      this.#entries.push(entry);
      this.#voterSets.append(entry);
    }
  }

  /** Removes every entry above `index`. */
  truncateAfter(index: number): void {
    if (index < this.#baseIndex)
      throw new Error(`cannot cut at ${index}, behind the snapshot at ${this.#baseIndex}`);
    if (index >= this.lastIndex) return;
    this.#entries.length = index - this.#baseIndex;
    this.#voterSets.truncateAfter(index);
    this.#syncedIndex = Math.min(this.#syncedIndex, index);
    this.#handedOut = Math.min(this.#handedOut, index);
    this.#generation++;
  }

  /** Replaces the whole log by a snapshot that was installed; the snapshot is not durable yet. */
  reset(base: LogBase): void {
    this.#baseIndex = base.index;
    this.#baseEpoch = base.epoch;
    this.#entries = [];
    this.#voterSets = new VoterSets(base);
    // Nothing is known to be durable until the write of the snapshot completes in the new generation.
    this.#syncedIndex = 0;
    this.#handedOut = base.index;
    this.#generation++;
  }

  /** Forgets entries up to `index`, which a durable snapshot holds. */
  compactTo(index: number): void {
    const epoch = this.epochAt(index);
    if (epoch === undefined) throw new Error(`cannot compact to ${index}: it is not in the log`);
    this.#entries.splice(0, index - this.#baseIndex);
    this.#voterSets.compactTo(index);
    this.#baseIndex = index;
    this.#baseEpoch = epoch;
  }

  /** Entries that no persist effect has carried yet. They count as handed out from here on. */
  takeUnpersisted(): Entry[] {
    const first = this.#handedOut + 1;
    if (first > this.lastIndex) return [];
    this.#handedOut = this.lastIndex;
    return this.slice(first, this.lastIndex);
  }

  /** A write completed. Only one of the present generation says anything about the present entries. */
  markSynced(index: number, generation: number): void {
    if (generation !== this.#generation) return;
    if (index > this.lastIndex) throw new Error(`synced ${index} of a log that ends at ${this.lastIndex}`);
    this.#syncedIndex = Math.max(this.#syncedIndex, index);
  }

  /**
   * The last entry at or before `index` whose epoch is at most `epoch`: the only place near there where two logs can
   * still agree. Skips a whole epoch per round trip (Raft 5.3; etcd-io/raft `findConflictByTerm`).
   */
  lastAtOrBefore(index: number, epoch: number): LogPosition {
    let at = Math.min(index, this.lastIndex);
    while (at > this.#baseIndex && (this.epochAt(at) ?? 0) > epoch) at--;
    return { index: at, epoch: this.epochAt(at) ?? 0 };
  }
}

/** What an entry costs beside its payload, in memory and on the wire, roughly. */
const ENTRY_OVERHEAD_BYTES = 32;
