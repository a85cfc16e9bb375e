/**
 * A partition's log as it is in memory, synchronous and without I/O: what was appended, what of it is on disk, what was
 * cut off. The writer (`log-writer.ts`) carries it over to the files and reports back with `published`.
 */

import type { RecordBatchHeader } from '../protocol/record-batch.ts';
import { lastOffsetOf } from '../protocol/record-batch.ts';
import { encodeProducers } from './checkpoint-format.ts';
import { LeaderEpochs } from './leader-epochs.ts';
import type { LogConfig } from './log-config.ts';
import type { ProducerStates } from './producer-states.ts';
import { Segment, segmentFor } from './segment.ts';
import type { SegmentIndex } from './segment-index.ts';
import type { Tail } from './tail-cache.ts';

export interface FetchedRecords {
  /** Whole batches, views of larger buffers: never change them. The first may begin before the offset asked for. */
  readonly records: Uint8Array[];
  /** Where to read on. */
  readonly nextOffset: number;
}

/** Batches next to each other in one segment, to be written at `position`. */
export interface PendingWrite {
  readonly segment: Segment;
  readonly position: number;
  readonly parts: Uint8Array[];
  /** Where the log ends once it is written. */
  endOffset: number;
}

/** A cut that is decided but not yet on disk. Appends wait for it. */
export interface PendingCut {
  /** `reset`: nothing stays, and the log starts anew at `offset`. */
  readonly kind: 'truncate' | 'reset';
  readonly offset: number;
  /** The batch that `offset` begins; `undefined` if it must be looked up on disk. */
  readonly at: { readonly segment: Segment; readonly position: number } | undefined;
  /** Segments to remove, ascending. */
  readonly doomed: readonly Segment[];
}

/** A closed segment whose index and producer snapshot are not on disk yet. */
export interface RolledSegment {
  readonly segment: Segment;
  readonly index: SegmentIndex | undefined;
  readonly producers: Uint8Array;
}

export class LogState {
  config: LogConfig;
  /** Never empty; the last one is active. */
  segments: Segment[];
  readonly tail: Tail;
  epochs = new LeaderEpochs();
  producers: ProducerStates;
  logStartOffset = 0;
  logEndOffset = 0;
  /** Everything below counts as safe by the log's config. */
  syncedOffset = 0;
  /** Everything below is fdatasynced. */
  durableOffset = 0;
  highWatermark = 0;
  failed: 'corrupt' | undefined;
  /** When `failed`: everything below is sound. */
  soundOffset = 0;
  /** When found damaged at start: segments behind the damage, which no read reaches. */
  unreachable: Segment[] = [];
  /** Counts cuts: what was written for an older generation is not what is in the log now (append ABA). */
  generation = 0;
  cut: PendingCut | undefined;
  /** Segments closed since the writer last looked, with the producer state at their end. */
  rolled: RolledSegment[] = [];
  /** Where the log ended at a clean start: if it still does, its files are as a clean stop leaves them. */
  cleanEndOffset: number | undefined;
  /** The epochs in memory are newer than those on disk. */
  epochsChanged = false;

  constructor(o: {
    config: LogConfig;
    tail: Tail;
    producers: ProducerStates;
    startOffset: number;
    nowWallMs: number;
  }) {
    this.config = o.config;
    this.tail = o.tail;
    this.producers = o.producers;
    this.segments = [];
    this.startAt(o.startOffset, o.nowWallMs);
  }

  get active(): Segment {
    const active = this.segments.at(-1);
    if (active === undefined) throw new Error('a log without a segment');
    return active;
  }

  get writtenOffset(): number {
    return this.tail.writtenOffset;
  }

  get sizeBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /** Makes the log empty, starting at `offset`. */
  startAt(offset: number, nowWallMs: number): void {
    this.tail.truncate(-1);
    this.segments = [new Segment(offset, nowWallMs)];
    this.#setEnd(offset);
    this.logStartOffset = offset;
    this.highWatermark = offset;
  }

  /** Takes over what recovery found on disk, all of it durable. */
  restore(segments: Segment[], endOffset: number): void {
    this.segments = segments;
    this.#setEnd(endOffset);
  }

  /** Appends one batch whose offsets go on from the log's end. */
  append(header: RecordBatchHeader, bytes: Uint8Array, nowWallMs: number): void {
    const { baseOffset, partitionLeaderEpoch, sizeBytes, maxTimestamp } = header;
    const lastOffset = lastOffsetOf(header);
    const batch = { baseOffset, lastOffset, sizeBytes, maxTimestamp };
    if (this.active.mustRoll(batch, nowWallMs, this.config)) this.roll(nowWallMs);
    const segment = this.active;
    const position = segment.add(batch, nowWallMs, this.config.indexIntervalBytes);
    if (this.epochs.assign(partitionLeaderEpoch, baseOffset)) this.epochsChanged = true;
    this.producers.update(header, nowWallMs);
    this.logEndOffset = lastOffset + 1;
    this.tail.push({ baseOffset, endOffset: lastOffset + 1, bytes, segment, position });
  }

  /** Closes the active segment and begins the next at the log's end. */
  roll(nowWallMs: number): void {
    const segment = this.active;
    const producers = this.encodedProducers();
    this.rolled.push({ segment, index: segment.index, producers });
    this.segments.push(new Segment(this.logEndOffset, nowWallMs));
  }

  /** The contents of a producer snapshot of now. */
  encodedProducers(): Uint8Array {
    return encodeProducers(this.producers.entries());
  }

  /** What is in memory alone, by segment, in order. */
  pendingWrites(): PendingWrite[] {
    const writes: PendingWrite[] = [];
    if (this.writtenOffset >= this.logEndOffset) return writes;
    for (const { segment, position, bytes, endOffset } of this.tail.from(this.writtenOffset)) {
      let last = writes.at(-1);
      if (last?.segment !== segment) {
        last = { segment, position, parts: [], endOffset };
        writes.push(last);
      }
      last.parts.push(bytes);
      last.endOffset = endOffset;
    }
    return writes;
  }

  /** The writer is done up to `endOffset`. Returns whether `syncedOffset` moved. */
  published(generation: number, endOffset: number, durableOffset: number): boolean {
    if (generation !== this.generation) return false;
    this.tail.writtenOffset = Math.max(this.writtenOffset, endOffset);
    this.durableOffset = Math.max(this.durableOffset, durableOffset);
    const moved = endOffset > this.syncedOffset;
    if (moved) this.syncedOffset = endOffset;
    return moved;
  }

  /** Reads from memory; `undefined` if the batch that holds `offset` is not there. */
  readTail(offset: number, bytesMax: number, endOffset: number): FetchedRecords | undefined {
    if (!this.tail.holds(offset)) return undefined;
    const records: Uint8Array[] = [];
    let nextOffset = offset;
    let sizeBytes = 0;
    for (const batch of this.tail.from(offset)) {
      sizeBytes += batch.bytes.length;
      if (batch.endOffset > endOffset || (records.length > 0 && sizeBytes > bytesMax)) break;
      records.push(batch.bytes);
      nextOffset = batch.endOffset;
    }
    return { records, nextOffset };
  }

  /**
   * Cuts off everything from the batch that holds `offset` on, in memory at once; `cut` tells the writer. If that
   * batch is not in memory, the exact end is known only once the writer has found it.
   */
  truncate(offset: number): void {
    this.generation += 1;
    const found = this.tail.find(offset);
    const end = found?.baseOffset ?? offset;
    this.#shrinkTo(end);
    const before = this.cut;
    this.cut = {
      kind: before?.kind ?? 'truncate',
      offset: end,
      at: found && { segment: found.segment, position: found.position },
      doomed: before?.doomed ?? this.unreachable,
    };
    if (found !== undefined) this.cutSegments(found.segment, found.baseOffset, found.position);
  }

  /** Cuts the list of segments behind the batch at `position`; its segment becomes the active one. */
  cutSegments(segment: Segment, offset: number, position: number): void {
    const keep = this.segments.indexOf(segment) + 1;
    const doomed = this.segments.splice(keep);
    for (const gone of doomed) gone.removed = true;
    segment.truncate(offset, position);
    this.rolled = this.rolled.filter((entry) => entry.segment !== segment && !entry.segment.removed);
    this.#shrinkTo(offset);
    if (this.cut === undefined) throw new Error('segments are cut without a cut');
    this.cut = { ...this.cut, offset, at: { segment, position }, doomed: [...doomed, ...this.cut.doomed] };
  }

  /** Drops everything and starts anew at `offset`, in memory at once; `cut` tells the writer. */
  reset(offset: number, nowWallMs: number): void {
    this.generation += 1;
    const doomed = [...this.segments, ...(this.cut?.doomed ?? this.unreachable)];
    for (const segment of doomed) segment.removed = true;
    this.startAt(offset, nowWallMs);
    this.epochs = new LeaderEpochs();
    this.producers = this.producers.replacedBy([]);
    this.rolled = [];
    this.cut = { kind: 'reset', offset, at: undefined, doomed };
  }

  /** Takes segments that end at or below `offset` off the front, for their files to be removed. Never the active one. */
  dropBefore(offset: number): Segment[] {
    const keep = this.segments.findIndex((segment) => segment.endOffset > offset);
    const dropped = this.segments.splice(0, keep < 0 ? this.segments.length - 1 : keep);
    for (const segment of dropped) segment.removed = true;
    return dropped;
  }

  advanceStart(offset: number): void {
    this.logStartOffset = Math.max(this.logStartOffset, offset);
    if (this.epochs.truncateFromStart(this.logStartOffset)) this.epochsChanged = true;
  }

  /** Something promised cannot be read; what lies below `soundOffset` still can. */
  fail(soundOffset: number, unreachable: Segment[]): void {
    this.failed = 'corrupt';
    this.soundOffset = soundOffset;
    this.unreachable = unreachable;
  }

  /** `cut` is durable, and the damage, if there was any, went with it. */
  cutDone(): void {
    this.cut = undefined;
    this.failed = undefined;
    this.unreachable = [];
  }

  segmentAt(offset: number): Segment | undefined {
    return segmentFor(this.segments, offset);
  }

  #shrinkTo(end: number): void {
    this.tail.truncate(end);
    this.tail.writtenOffset = Math.min(this.writtenOffset, end);
    this.logEndOffset = Math.min(this.logEndOffset, end);
    this.syncedOffset = Math.min(this.syncedOffset, end);
    this.durableOffset = Math.min(this.durableOffset, end);
    this.highWatermark = Math.min(this.highWatermark, end);
    if (this.epochs.truncateFromEnd(end)) this.epochsChanged = true;
  }

  #setEnd(offset: number): void {
    this.logEndOffset = offset;
    this.syncedOffset = offset;
    this.durableOffset = offset;
    this.tail.writtenOffset = offset;
  }
}
