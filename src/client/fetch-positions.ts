/**
 * Where a consumer stands in each of its partitions, and what it has fetched ahead. Pure; `fetcher.ts` and
 * `offset-resolver.ts` do the asking.
 *
 * Three offsets per partition, in this order: up to `done` the application is through (it asked for more), up to
 * `next` records were handed out, up to `fetch` they were fetched. Commits by themselves use `done`; a commit by the
 * application uses `next`.
 */

import { KafkaError } from '../protocol/errors.ts';
import {
  ATTRIBUTE,
  lastOffsetOf,
  type RecordBatchHeader,
  readBatchHeader,
  splitBatches,
  verifyBatch,
} from '../protocol/record-batch.ts';
import { decodeRecords, type RecordData } from '../protocol/record-decoder.ts';
import { LogTruncationError, OffsetResetError } from './errors.ts';

/** One partition of a topic; partitions count from 0. */
export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Where to go on without a valid offset; `none`: an `OffsetResetError`. */
export type OffsetReset = 'earliest' | 'latest' | 'none';

/** An offset, and the epoch of the leader that wrote the record before it (-1: unknown). */
export interface OffsetAndEpoch {
  readonly offset: number;
  readonly leaderEpoch: number;
}

/**
 * `committed`: look up the group's offset. `earliest`, `latest`: look that end of the log up. `locating`: the position is
 * out of range, find out on which side. `validating`: the leader changed, compare logs (KIP-320). `fetching`: all is
 * well. `failed`: the application was told, and has to seek.
 */
type Phase = 'committed' | 'earliest' | 'latest' | 'locating' | 'validating' | 'fetching' | 'failed';

const UNKNOWN: OffsetAndEpoch = { offset: -1, leaderEpoch: -1 };

export class PartitionState implements TopicPartition {
  readonly topic: string;
  readonly partition: number;
  readonly topicId: string;
  phase: Phase;
  /** Raised by each seek and reset: answers to older questions are void. */
  generation = 0;
  fetch: OffsetAndEpoch = UNKNOWN;
  next: OffsetAndEpoch = UNKNOWN;
  done: OffsetAndEpoch = UNKNOWN;
  /** The newest leader epoch that the position was compared with. */
  validatedEpoch = -1;
  /** The application chose this position itself: if it is out of range, that is no truncation. */
  soughtByHand = false;
  paused = false;
  /** Being given up: handed out to nobody any more. */
  suspended = false;
  /** Some request about it is under way. */
  busy = false;
  /** The leader epoch at the time of that request: once there is a newer one, it is asked anew. */
  askedEpoch = -1;
  retryAtMs = 0;
  failures = 0;
  highWatermark = -1;
  bufferedBytes = 0;
  fetchedAt = 0;
  error: Error | undefined;
  /** What was last committed by itself: the same again is not worth a request. */
  committed = -1;
  readonly batches: Uint8Array[] = [];
  records: RecordData[] = [];
  recordsAt = 0;
  recordsEpoch = -1;

  constructor(topic: string, partition: number, topicId: string, phase: Phase) {
    this.topic = topic;
    this.partition = partition;
    this.topicId = topicId;
    this.phase = phase;
  }

  /** How many records the log has beyond the position, as of the last fetch; undefined before the first. */
  get lag(): number | undefined {
    const { highWatermark, next } = this;
    return highWatermark < 0 || next.offset < 0 ? undefined : Math.max(0, highWatermark - next.offset);
  }

  get hasRecords(): boolean {
    return this.recordsAt < this.records.length || this.batches.length > 0;
  }
}

export class FetchPositions {
  readonly #reset: OffsetReset;
  readonly #partitions = new Map<string, PartitionState>();
  /** Handed out from since the last `markDone`. */
  readonly #touched = new Set<PartitionState>();
  /** Those with an error that the application has not been told of. */
  readonly #failed = new Set<PartitionState>();
  /** Whose turn it is to hand out: an index of `#rotation`. */
  #turn = 0;
  #rotation: PartitionState[] = [];
  #bufferedBytes = 0;
  #clock = 0;

  constructor(reset: OffsetReset) {
    this.#reset = reset;
  }

  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  all(): IterableIterator<PartitionState> {
    return this.#partitions.values();
  }

  get({ topic, partition }: TopicPartition): PartitionState | undefined {
    return this.#partitions.get(keyOf(topic, partition));
  }

  add(topic: string, partition: number, topicId: string, start: 'committed' | 'earliest' | 'latest'): void {
    const state = new PartitionState(topic, partition, topicId, start);
    this.#partitions.set(keyOf(topic, partition), state);
    this.#restartRotation();
  }

  remove(partition: TopicPartition): void {
    const state = this.get(partition);
    if (state === undefined) return;
    this.#restart(state);
    this.#touched.delete(state);
    this.#partitions.delete(keyOf(state.topic, state.partition));
    this.#restartRotation();
  }

  /** Whatever was handed out is done with: the application came back for more. */
  markDone(): void {
    for (const state of this.#touched) state.done = state.next;
    this.#touched.clear();
  }

  seek(state: PartitionState, offset: number, leaderEpoch = -1): void {
    this.#restart(state);
    this.#place(state, { offset, leaderEpoch });
    state.soughtByHand = true;
  }

  seekToEnd(state: PartitionState, end: 'earliest' | 'latest'): void {
    this.#restart(state);
    state.phase = end;
  }

  /** Stops handing out and fetching; the position stays, to be committed. */
  suspend(state: PartitionState): void {
    state.suspended = true;
    this.#dropBuffer(state);
  }

  /** The group's committed offset arrived (-1: there is none). */
  onCommitted(state: PartitionState, committed: OffsetAndEpoch): void {
    if (committed.offset >= 0) {
      this.#place(state, committed);
      state.committed = committed.offset;
    } else if (this.#reset === 'none') {
      const message = `${name(state)} has no committed offset, and autoOffsetReset is 'none'`;
      this.fail(state, new OffsetResetError('NO_OFFSET', state.topic, state.partition, message));
    } else state.phase = this.#reset;
  }

  /** One end of the log arrived, which `phase` asked for. */
  onListed(state: PartitionState, listed: OffsetAndEpoch): void {
    if (state.phase !== 'locating') this.#place(state, { offset: listed.offset, leaderEpoch: -1 });
    else if (state.fetch.offset < listed.offset) this.#onExpired(state);
    else if (state.soughtByHand) this.#onBeyondEnd(state);
    else this.#onTruncated(state, undefined);
  }

  /** The position is not within the leader's log. */
  onOutOfRange(state: PartitionState): void {
    this.#dropBuffer(state);
    state.fetch = state.next;
    state.phase = 'locating';
  }

  /** A partition has a (newer) leader. Positions whose epoch is known are compared with its log before going on. */
  onLeaderEpoch(state: PartitionState, leaderEpoch: number): void {
    if (leaderEpoch <= state.validatedEpoch) return;
    if (state.phase === 'fetching' && state.fetch.leaderEpoch >= 0 && state.validatedEpoch >= 0) {
      state.phase = 'validating';
      // What a fetch under way brings from the old leader may be what the new one lacks.
      state.generation++;
      state.busy = false;
    } else state.validatedEpoch = leaderEpoch;
  }

  /** The end of `fetch.leaderEpoch` in the leader's log; -1 when it does not know that epoch (any more). */
  onEpochEnd(state: PartitionState, endOffset: number, leaderEpoch: number): void {
    state.validatedEpoch = leaderEpoch;
    state.phase = 'fetching';
    if (endOffset >= 0 && endOffset < state.fetch.offset) this.onDiverged(state, endOffset);
  }

  /** The leader's log differs from what was read, from `endOffset` on. */
  onDiverged(state: PartitionState, endOffset: number): void {
    if (endOffset < state.next.offset) {
      this.#onTruncated(state, endOffset);
      return;
    }
    // Only what was fetched ahead is void; nobody has seen it.
    this.#dropBuffer(state);
    state.generation++;
    state.fetch = state.next;
  }

  /** Batches arrived for the fetch position. */
  onFetched(state: PartitionState, runs: readonly Uint8Array[]): void {
    state.failures = 0;
    state.fetchedAt = ++this.#clock;
    for (const run of runs) {
      for (const batch of splitBatches(run)) {
        const header = readBatchHeader(batch);
        const last = lastOffsetOf(header);
        if (last < state.fetch.offset) continue;
        state.batches.push(batch);
        state.bufferedBytes += batch.length;
        this.#bufferedBytes += batch.length;
        state.fetch = { offset: last + 1, leaderEpoch: header.partitionLeaderEpoch };
      }
    }
  }

  fail(state: PartitionState, error: Error): void {
    this.#dropBuffer(state);
    state.error = error;
    this.#failed.add(state);
    state.phase = 'failed';
    state.busy = false;
    state.generation++;
  }

  get hasError(): boolean {
    return this.#failed.size > 0;
  }

  /** The next failure that the application has not been told of. */
  takeError(): Error | undefined {
    for (const state of this.#failed) {
      this.#failed.delete(state);
      return state.error;
    }
    return undefined;
  }

  /** The partition that hands out next, if any: it keeps its turn until its current batch is used up. */
  nextWithRecords(): PartitionState | undefined {
    for (let i = 0; i < this.#rotation.length; i++) {
      const state = this.#rotation[this.#turn] as PartitionState;
      if (!state.paused && !state.suspended && this.#open(state)) return state;
      this.#nextTurn();
    }
    return undefined;
  }

  /** The record that `handOut` would hand out. */
  peek(state: PartitionState): RecordData {
    return state.records[state.recordsAt] as RecordData;
  }

  /** Moves past the record. */
  handOut(state: PartitionState): void {
    const record = this.peek(state);
    state.recordsAt++;
    state.next = { offset: record.offset + 1, leaderEpoch: state.recordsEpoch };
    this.#touched.add(state);
    if (state.recordsAt >= state.records.length) {
      state.records = [];
      state.recordsAt = 0;
      // A batch is one turn.
      this.#nextTurn();
    }
  }

  #nextTurn(): void {
    this.#turn = (this.#turn + 1) % this.#rotation.length;
  }

  #restartRotation(): void {
    this.#rotation = [...this.#partitions.values()];
    this.#turn = 0;
  }

  /** Opens the next batch that has anything to hand out. */
  #open(state: PartitionState): boolean {
    while (state.recordsAt >= state.records.length) {
      const batch = state.batches.shift();
      if (batch === undefined) return false;
      state.bufferedBytes -= batch.length;
      this.#bufferedBytes -= batch.length;
      const { header, records } = this.#decode(state, batch);
      state.recordsEpoch = header.partitionLeaderEpoch;
      // A fetch from the middle of a batch returns the whole batch.
      const first = records.findIndex(({ offset }) => offset >= state.next.offset);
      state.records = first < 0 ? [] : records;
      state.recordsAt = Math.max(first, 0);
      if (first < 0) {
        // Nothing in it for anybody (control records, or compacted away): the position moves on all the same.
        state.next = { offset: lastOffsetOf(header) + 1, leaderEpoch: header.partitionLeaderEpoch };
        this.#touched.add(state);
      }
    }
    return true;
  }

  #decode(state: PartitionState, batch: Uint8Array): { header: RecordBatchHeader; records: RecordData[] } {
    try {
      const header = verifyBatch(batch);
      const isControl = (header.attributes & ATTRIBUTE.control) !== 0;
      return { header, records: isControl ? [] : decodeRecords(batch) };
    } catch (cause) {
      // Fetched again from here at the next poll: damage on the way heals, damage on a disk is reported each time.
      this.#dropBuffer(state);
      state.fetch = state.next;
      state.generation++;
      state.busy = false;
      if (cause instanceof KafkaError) throw cause;
      throw new KafkaError('CORRUPT_MESSAGE', `${name(state)} from offset ${state.next.offset}`, { cause });
    }
  }

  #onExpired(state: PartitionState): void {
    if (this.#reset === 'none') this.#onBeyondEnd(state);
    else this.seekToEnd(state, this.#reset);
  }

  #onBeyondEnd(state: PartitionState): void {
    const { offset } = state.fetch;
    if (this.#reset !== 'none') {
      this.seekToEnd(state, this.#reset);
      return;
    }
    const message = `${name(state)} has no offset ${offset}, and autoOffsetReset is 'none'`;
    this.fail(state, new OffsetResetError('OFFSET_OUT_OF_RANGE', state.topic, state.partition, message));
  }

  #onTruncated(state: PartitionState, divergentOffset: number | undefined): void {
    const { topic, partition, next } = state;
    this.fail(state, new LogTruncationError(topic, partition, next.offset, divergentOffset));
  }

  #place(state: PartitionState, at: OffsetAndEpoch): void {
    state.fetch = at;
    state.next = at;
    state.done = at;
    state.failures = 0;
    state.retryAtMs = 0;
    state.phase = 'fetching';
    // A position from the past is compared with the present leader's log as soon as its epoch is known.
    state.validatedEpoch = at.leaderEpoch;
  }

  #restart(state: PartitionState): void {
    this.#dropBuffer(state);
    this.#touched.delete(state);
    state.generation++;
    state.busy = false;
    state.error = undefined;
    this.#failed.delete(state);
    state.soughtByHand = false;
    state.retryAtMs = 0;
    state.next = UNKNOWN;
    state.done = UNKNOWN;
  }

  #dropBuffer(state: PartitionState): void {
    this.#bufferedBytes -= state.bufferedBytes;
    state.bufferedBytes = 0;
    state.batches.length = 0;
    state.records = [];
    state.recordsAt = 0;
  }
}

export const keyOf = (topic: string, partition: number): string => `${topic}:${partition}`;

const name = ({ topic, partition }: TopicPartition): string => `${topic}-${partition}`;
