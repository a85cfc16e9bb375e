/** One segment of a log: where its file is and how far it goes. Its bytes are in the file and in the log's tail. */

import type { LogConfig } from './log-config.ts';
import { type IndexedBatch, SegmentIndex } from './segment-index.ts';

/** Relative offsets and positions in an index are 32 bits wide. */
const RELATIVE_MAX = 0xffffffff;

export class Segment {
  readonly baseOffset: number;
  endOffset: number;
  /** In memory: includes what is not written yet. */
  sizeBytes = 0;
  /** When the first batch was appended, by the wall clock; for rolling by time. */
  createdWallMs: number;
  /** Always there for the active segment; of a closed one, loaded when a read asks for it. */
  index: SegmentIndex | undefined;
  /** The largest timestamp; `undefined` as long as the index of a closed segment was not needed. */
  maxTimestamp: number | undefined = -1;
  /** The file exists and its folder entry is durable. */
  created = false;
  /** A write to the file was begun. */
  mayExist = false;
  /** Truncated or deleted; a read under way must look again. */
  removed = false;

  constructor(baseOffset: number, createdWallMs: number, index?: SegmentIndex) {
    this.baseOffset = baseOffset;
    this.endOffset = baseOffset;
    this.createdWallMs = createdWallMs;
    this.index = index;
  }

  /** A segment that was there before: its index is loaded when needed. */
  static ofFile(baseOffset: number, endOffset: number, sizeBytes: number, nowWallMs: number): Segment {
    const segment = new Segment(baseOffset, nowWallMs);
    segment.endOffset = endOffset;
    segment.sizeBytes = sizeBytes;
    segment.maxTimestamp = undefined;
    segment.created = true;
    segment.mayExist = true;
    return segment;
  }

  /** Whether it must be closed before `batch` is appended. An empty segment takes any batch. */
  mustRoll(batch: IndexedBatch, nowWallMs: number, config: LogConfig): boolean {
    if (this.sizeBytes === 0) return false;
    const sizeBytes = this.sizeBytes + batch.sizeBytes;
    return (
      sizeBytes > config.segmentBytes ||
      sizeBytes > RELATIVE_MAX ||
      batch.lastOffset - this.baseOffset > RELATIVE_MAX ||
      nowWallMs - this.createdWallMs > config.segmentMs
    );
  }

  /** Counts a batch in, at the end; returns its position. */
  add(batch: IndexedBatch, nowWallMs: number, indexIntervalBytes: number): number {
    const position = this.sizeBytes;
    if (position === 0) this.createdWallMs = nowWallMs;
    if (position === 0) this.index = new SegmentIndex(this.baseOffset, indexIntervalBytes);
    if (this.index === undefined)
      throw new Error(`segment ${this.baseOffset} is appended to without its index`);
    this.index.add(batch);
    this.sizeBytes = position + batch.sizeBytes;
    this.endOffset = batch.lastOffset + 1;
    this.maxTimestamp = this.index.maxTimestamp;
    return position;
  }

  /** Cuts off everything from the batch at `offset` and `position` on. The index must be loaded. */
  truncate(offset: number, position: number): void {
    this.index?.truncate(offset, position);
    this.endOffset = offset;
    this.sizeBytes = position;
    this.maxTimestamp = this.index?.maxTimestamp;
  }
}

/** The last segment that begins at or before `offset`. */
export function segmentFor(segments: readonly Segment[], offset: number): Segment | undefined {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.baseOffset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return segments[low - 1];
}
