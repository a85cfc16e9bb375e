/**
 * One partition's log, as the layers above see it. Appends take effect in memory at once and become safe with the next
 * group-commit round; reads come from memory when they can.
 */

import { asError } from '../platform/as-error.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { OffsetsCheckpoint } from './checkpoint-format.ts';
import { CutWaiters } from './cut-waiters.ts';
import { isDiskFull } from './file-helpers.ts';
import type { EpochEnd, EpochStart } from './leader-epochs.ts';
import { appendFollowerRecords, appendLeaderBatch, type LeaderAppend } from './log-append.ts';
import type { LogConfig } from './log-config.ts';
import type { LogContext } from './log-context.ts';
import type { LogFiles } from './log-files.ts';
import { DamagedSegment, LogReader } from './log-reader.ts';
import type { FetchedRecords, LogState } from './log-state.ts';
import { LogWriter } from './log-writer.ts';
import { expiredSegments } from './retention.ts';
import type { Rounds } from './rounds.ts';
import { type TimestampedOffset, TimestampSearch } from './timestamp-search.ts';

export class PartitionLog {
  readonly topicId: string;
  readonly partition: number;
  /** `<topicId>-<partition>`, the name of its folder. */
  readonly name: string;
  /** Called after a round that moved `syncedOffset`. Set by the layer above. */
  onSynced: (log: PartitionLog) => void = () => {};
  /** Called when damage was found in a log in use; see `failed`. */
  onFailed: (log: PartitionLog) => void = () => {};
  readonly #state: LogState;
  readonly #context: LogContext;
  readonly #rounds: Rounds;
  readonly #reader: LogReader;
  readonly #search: TimestampSearch;
  readonly #writer: LogWriter;
  readonly #cutWaiters = new CutWaiters();
  #isDiskFull = false;
  #isClosed = false;

  constructor(o: {
    topicId: string;
    partition: number;
    state: LogState;
    files: LogFiles;
    context: LogContext;
    rounds: Rounds;
  }) {
    this.topicId = o.topicId;
    this.partition = o.partition;
    this.name = `${o.topicId}-${o.partition}`;
    this.#state = o.state;
    this.#context = o.context;
    this.#rounds = o.rounds;
    this.#reader = new LogReader(o.state, o.files, o.context, (reason, soundOffset) =>
      this.#fail(reason, soundOffset),
    );
    this.#search = new TimestampSearch(o.state, this.#reader, o.context.limits.coldReadBytes);
    this.#writer = new LogWriter(o.state, o.files, this.#reader, o.context, (error) => o.rounds.fail(error));
  }

  get config(): LogConfig {
    return this.#state.config;
  }

  get logStartOffset(): number {
    return this.#state.logStartOffset;
  }

  /** The offset that the next record gets. */
  get logEndOffset(): number {
    return this.#state.logEndOffset;
  }

  /** Everything below is durable (`flush` = `sync`) or in the page cache (`os`). Goes back only by a truncation. */
  get syncedOffset(): number {
    return this.#state.syncedOffset;
  }

  get highWatermark(): number {
    return this.#state.highWatermark;
  }

  /** The newest leader epoch in the log; -1 if it has none. */
  get latestEpoch(): number {
    return this.#state.epochs.latest;
  }

  /** For diagnostics and tests. */
  get epochs(): readonly EpochStart[] {
    return this.#state.epochs.entries;
  }

  get sizeBytes(): number {
    return this.#state.sizeBytes;
  }

  get segmentCount(): number {
    return this.#state.segments.length;
  }

  /**
   * `corrupt`: something that was promised to be here cannot be read. The log takes no appends; whoever owns it stands
   * down, and either resets it or truncates it to `soundOffset` or lower, and refetches.
   */
  get failed(): 'corrupt' | undefined {
    return this.#state.failed;
  }

  /** Everything below can be read. Differs from `logEndOffset` only in a log that `failed` while in use. */
  get soundOffset(): number {
    const { failed, soundOffset, logEndOffset } = this.#state;
    return failed === undefined ? logEndOffset : Math.min(soundOffset, logEndOffset);
  }

  /** The last write met a full disk. Appends are refused until it went through; it is tried again now and then. */
  get isDiskFull(): boolean {
    return this.#isDiskFull;
  }

  /**
   * Appends one batch from a client, stamping offset and epoch into it in place. The log keeps `batch`: do not change it
   * afterwards. A batch that an idempotent producer repeats is not appended again; its first offsets come back. Throws
   * `KafkaError`, and then nothing was appended.
   */
  appendAsLeader(batch: Uint8Array, leaderEpoch: number, nowWallMs: number): LeaderAppend {
    this.#checkWritable();
    const result = appendLeaderBatch(this.#state, batch, leaderEpoch, nowWallMs);
    if (!result.duplicate) this.#rounds.request(this);
    return result;
  }

  /**
   * Appends batches fetched from the leader, as they are; a partial batch at the end is ignored. Throws
   * `CORRUPT_MESSAGE` (and has appended what came before it) when a batch is damaged or does not follow the log's end.
   */
  appendAsFollower(records: Uint8Array): { lastOffset: number } {
    this.#checkWritable();
    try {
      return { lastOffset: appendFollowerRecords(this.#state, records, this.#context.clock.wallMs()) };
    } finally {
      this.#rounds.request(this);
    }
  }

  /** Notes that a leader's epoch begins at the log's end, before its first record (KIP-101). */
  beginEpoch(epoch: number): void {
    if (this.#state.epochs.assign(epoch, this.#state.logEndOffset)) this.#state.epochsChanged = true;
  }

  /**
   * Whole batches from the one that holds `offset` on, below `endOffset` and within `bytesMax` (but at least one, if it
   * ends in time). A plain result when they are in memory, else a promise. Throws `OFFSET_OUT_OF_RANGE`.
   */
  read(offset: number, bytesMax: number, endOffset: number): FetchedRecords | Promise<FetchedRecords> {
    const { logStartOffset, logEndOffset } = this.#state;
    if (offset < logStartOffset || offset > logEndOffset) {
      const range = `[${logStartOffset}, ${logEndOffset}]`;
      throw new KafkaError('OFFSET_OUT_OF_RANGE', `offset ${offset} is outside the log ${range}`);
    }
    this.#checkOpen();
    const end = Math.min(endOffset, logEndOffset);
    if (offset >= end) return { records: [], nextOffset: offset };
    return this.#state.readTail(offset, bytesMax, end) ?? this.#reader.read(offset, bytesMax, end);
  }

  /** Where `epoch` ended: the largest known epoch <= `epoch`, and the start of the one after it. -1, -1 if unknown. */
  endOffsetForEpoch(epoch: number): EpochEnd {
    return this.#state.epochs.endOffsetFor(epoch, this.#state.logEndOffset);
  }

  /** The epoch that wrote `offset`; -1 if unknown. */
  epochAt(offset: number): number {
    return this.#state.epochs.epochAt(offset);
  }

  /** The first record whose timestamp is at least `timestamp`; the caller compares it with the high watermark. */
  offsetForTimestamp(timestamp: number): Promise<TimestampedOffset | undefined> {
    this.#checkOpen();
    return this.#search.firstSince(timestamp);
  }

  /** The first record of the largest timestamp below `endOffset`; undefined when there is none. */
  offsetOfLargestTimestamp(endOffset: number): Promise<TimestampedOffset | undefined> {
    this.#checkOpen();
    return this.#search.largestBelow(endOffset);
  }

  /**
   * Removes the batch that holds `offset` and everything after it. Durable when the promise resolves; no append may be
   * tried before. An `offset` below the log's start resets the log. Of a damaged log, at least the damage is removed.
   */
  truncateTo(offset: number): Promise<void> {
    this.#checkOpen();
    const state = this.#state;
    if (offset < state.logStartOffset) return this.resetTo(offset);
    if (offset >= state.logEndOffset && state.failed === undefined) {
      // An epoch that this replica began to lead without writing a record must go all the same (KIP-279).
      if (state.epochs.truncateFromEnd(state.logEndOffset)) state.epochsChanged = true;
      return state.cut === undefined ? Promise.resolve() : this.#awaitCut();
    }
    const from = { name: this.name, offset, logEndOffset: state.logEndOffset };
    this.#context.logger.debug(from, 'Truncating the log');
    this.#context.events.truncations.add();
    state.truncate(Math.min(offset, this.soundOffset));
    return this.#awaitCut();
  }

  /** Removes everything; the log is empty and starts at `offset`. The way back from `failed`. */
  resetTo(offset: number): Promise<void> {
    this.#checkOpen();
    const { logStartOffset, logEndOffset } = this.#state;
    this.#context.logger.debug(
      { name: this.name, offset, logStartOffset, logEndOffset },
      'Resetting the log',
    );
    this.#context.events.truncations.add();
    this.#state.reset(offset, this.#context.clock.wallMs());
    return this.#awaitCut();
  }

  /** Moves the high watermark forward, at most to the log's end; a lower one is ignored. */
  setHighWatermark(offset: number): void {
    const bounded = Math.min(offset, this.#state.logEndOffset);
    this.#state.highWatermark = Math.max(this.#state.highWatermark, bounded);
  }

  setConfig(config: LogConfig): void {
    this.#state.config = config;
    if (this.#writer.isDirty) this.#rounds.request(this);
  }

  /** Hides everything below `offset`, durably, and deletes segments that lie below it. Never past the high watermark. */
  async advanceLogStartOffset(offset: number): Promise<void> {
    this.#checkOpen();
    if (offset > this.#state.highWatermark) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `the log start cannot pass the high watermark ${this.#state.highWatermark} to ${offset}`,
      );
    }
    if (offset <= this.#state.logStartOffset) return;
    this.#state.advanceStart(offset);
    await this.#deleteBefore(offset);
  }

  /** One pass of retention by time and size. */
  async applyRetention(nowWallMs: number): Promise<void> {
    const state = this.#state;
    state.producers.expire(nowWallMs - this.#context.limits.producerExpirationMs);
    if (state.failed !== undefined || state.cut !== undefined || this.#isClosed) return;
    const { retentionMs } = state.config;
    if (retentionMs >= 0) await this.#loadTimestamps(nowWallMs - retentionMs);
    if (state.cut !== undefined || this.#isClosed) return;
    const expired = expiredSegments(state.segments, state.config, this.#settledOffset, nowWallMs);
    const last = expired.at(-1);
    if (last === undefined) return;
    if (last === state.active) {
      state.roll(nowWallMs);
      this.#rounds.request(this);
    }
    const offset = last.endOffset;
    this.#context.logger.info(
      { name: this.name, offset, segments: expired.length },
      'Retention removes segments',
    );
    this.#context.events.deletedSegments.add(expired.length);
    state.advanceStart(offset);
    await this.#deleteBefore(offset);
  }

  /** What the directory's checkpoint says of this log; `undefined` while it is being replaced. */
  checkpoint(): OffsetsCheckpoint | undefined {
    const { durableOffset, highWatermark, logStartOffset, config, cut, failed, soundOffset } = this.#state;
    if (this.#isClosed || cut?.kind === 'reset') return undefined;
    // A log found damaged stays so until it is cut: its damage must not look like a torn tail at the next start.
    const isDamaged = failed !== undefined && cut === undefined;
    return {
      name: this.name,
      recoveryPoint: isDamaged ? Math.max(durableOffset, soundOffset + 1) : durableOffset,
      highWatermark,
      logStartOffset,
      flush: config.flush,
    };
  }

  /** @internal The log's part of a round. Resolves to whether it must be tried again later, on a full disk. */
  async flush(): Promise<'done' | 'disk-full'> {
    if (this.#isClosed) return 'done';
    try {
      const moved = await this.#writer.flush();
      if (this.#isDiskFull) this.#context.events.diskHasRoom(this.name);
      this.#isDiskFull = false;
      if (this.#state.cut === undefined) this.#cutWaiters.settle();
      if (moved) this.onSynced(this);
      return 'done';
    } catch (error) {
      if (error instanceof DamagedSegment) {
        // Damage below a truncation, found once the cut was on disk.
        this.#state.cutDone();
        this.#fail(error.message, error.offset);
        this.#cutWaiters.settle(new KafkaError('KAFKA_STORAGE_ERROR', error.message, { cause: error }));
        return 'done';
      }
      if (!isDiskFull(error)) throw error;
      this.#context.events.diskFull(this.name, asError(error).message);
      this.#isDiskFull = true;
      return 'disk-full';
    }
  }

  /** @internal */
  get isDirty(): boolean {
    return !this.#isClosed && this.#writer.isDirty;
  }

  /** @internal */
  persistEpochs(): Promise<void> {
    return this.#isClosed ? Promise.resolve() : this.#writer.persistEpochs();
  }

  /** @internal Leaves the files so that the next start need not scan them. */
  closeFiles(): Promise<void> {
    return this.#writer.close();
  }

  /** @internal Resolves once the files of a closed log are left alone. */
  idle(): Promise<void> {
    return this.#writer.idle();
  }

  /** @internal No call is answered any more. */
  markClosed(): void {
    this.#isClosed = true;
    this.#cutWaiters.settle(new KafkaError('NOT_LEADER_OR_FOLLOWER', `the log ${this.name} is closed`));
  }

  /** Below, nothing waits to be replicated or written: files may go. */
  get #settledOffset(): number {
    return Math.min(this.#state.highWatermark, this.#state.syncedOffset);
  }

  #awaitCut(): Promise<void> {
    this.#rounds.request(this);
    return this.#cutWaiters.wait();
  }

  async #deleteBefore(offset: number): Promise<void> {
    const dropped = this.#state.dropBefore(Math.min(offset, this.#settledOffset));
    for (const segment of dropped) this.#context.indexCache.forget(segment);
    try {
      await this.#writer.deleteSegments(dropped.map(({ baseOffset }) => baseOffset));
    } catch (error) {
      if (isDiskFull(error))
        throw new KafkaError('KAFKA_STORAGE_ERROR', 'the disk is full', { cause: error });
      this.#rounds.fail(error);
      throw error;
    }
  }

  /** Retention by time must know the largest timestamp of the oldest segments. */
  async #loadTimestamps(beforeMs: number): Promise<void> {
    for (const segment of [...this.#state.segments]) {
      if (segment.removed) continue;
      try {
        segment.maxTimestamp ??= (await this.#reader.index(segment)).maxTimestamp;
      } catch (error) {
        if (!segment.removed) this.#fail(String(error), segment.baseOffset);
        return;
      }
      if (segment.maxTimestamp >= beforeMs) return;
    }
  }

  #fail(reason: string, soundOffset: number): void {
    if (this.#state.failed !== undefined || this.#isClosed) return;
    this.#state.fail(soundOffset, []);
    this.#context.logger.error(
      { topicId: this.topicId, partition: this.partition, reason, soundOffset },
      'The log is corrupt and stands down',
    );
    this.#context.events.corruptions.add();
    this.onFailed(this);
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new KafkaError('NOT_LEADER_OR_FOLLOWER', `the log ${this.name} is closed`);
  }

  #checkWritable(): void {
    this.#checkOpen();
    if (this.#state.failed !== undefined) {
      throw new KafkaError('KAFKA_STORAGE_ERROR', `the log ${this.name} is damaged and takes no appends`);
    }
    if (this.#isDiskFull) throw new KafkaError('KAFKA_STORAGE_ERROR', 'the disk is full');
    if (this.#state.cut !== undefined)
      throw new Error(`append to ${this.name} before its truncation was durable`);
  }
}
