/**
 * The sparse index of one segment, in compact arrays: every so many bytes, the offset and position of a batch and the
 * largest timestamp before it. Only a hint: readers check what they find at the position, and a scan rebuilds it.
 */

import { crc32c } from '../protocol/crc32c.ts';

export interface IndexedBatch {
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly sizeBytes: number;
  readonly maxTimestamp: number;
}

export interface IndexEntry {
  readonly offset: number;
  readonly position: number;
}

const OFFSET_ENTRY_BYTES = 8;
const TIME_ENTRY_BYTES = 12;
/** End offset, size, largest timestamp, checksum. */
const TRAILER_BYTES = 8 + 8 + 8 + 4;
const FIRST_CAPACITY = 16;

export class SegmentIndex {
  readonly baseOffset: number;
  endOffset: number;
  sizeBytes = 0;
  /** The largest of any batch; -1 when there is none. After a truncation it may be too large, never too small. */
  maxTimestamp = -1;
  /** Made by a scan or by appends, not read from files. */
  isTrusted = true;
  readonly #intervalBytes: number;
  #count = 0;
  /** Relative to the base offset. */
  #offsets = new Uint32Array(0);
  #positions = new Uint32Array(0);
  #timestampsBefore = new Float64Array(0);

  constructor(baseOffset: number, intervalBytes: number) {
    this.baseOffset = baseOffset;
    this.endOffset = baseOffset;
    this.#intervalBytes = intervalBytes;
  }

  get count(): number {
    return this.#count;
  }

  get memoryBytes(): number {
    return this.#offsets.length * 16;
  }

  /** Batches must come in order; each begins where the one before it ended. */
  add(batch: IndexedBatch): void {
    const lastPosition = this.#count === 0 ? 0 : (this.#positions[this.#count - 1] ?? 0);
    if (this.sizeBytes - lastPosition >= this.#intervalBytes) {
      this.#push(batch.baseOffset - this.baseOffset, this.sizeBytes, this.maxTimestamp);
    }
    this.sizeBytes += batch.sizeBytes;
    this.endOffset = batch.lastOffset + 1;
    this.maxTimestamp = Math.max(this.maxTimestamp, batch.maxTimestamp);
  }

  /** The last indexed batch that begins at or before `offset`; the segment's start if there is none. */
  floor(offset: number): IndexEntry {
    return this.#entry(lastBelow(this.#offsets, this.#count, offset - this.baseOffset + 1));
  }

  /** As `floor`, with the largest timestamp before it; -1 where it is the segment's start. */
  floorWithTimestamp(offset: number): IndexEntry & { readonly timestampBefore: number } {
    const i = lastBelow(this.#offsets, this.#count, offset - this.baseOffset + 1);
    return { ...this.#entry(i), timestampBefore: i < 0 ? -1 : (this.#timestampsBefore[i] ?? -1) };
  }

  /** The last indexed batch before which every timestamp is less than `timestamp`. */
  floorByTimestamp(timestamp: number): IndexEntry {
    return this.#entry(lastBelow(this.#timestampsBefore, this.#count, timestamp));
  }

  /** Forgets everything at and after the batch that begins at `offset` and `position`. */
  truncate(offset: number, position: number): void {
    this.#count = lastBelow(this.#positions, this.#count, position) + 1;
    this.endOffset = offset;
    this.sizeBytes = position;
    if (position === 0) this.maxTimestamp = -1;
  }

  /** Forgets every entry, because one was wrong: reads begin at the segment's start, until later entries come. */
  clear(): void {
    this.#count = 0;
    this.isTrusted = true;
  }

  /** The contents of the `.index` file. */
  encodeOffsets(): Uint8Array {
    const bytes = new Uint8Array(this.#count * OFFSET_ENTRY_BYTES + TRAILER_BYTES);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < this.#count; i++) {
      view.setUint32(i * OFFSET_ENTRY_BYTES, this.#offsets[i] ?? 0);
      view.setUint32(i * OFFSET_ENTRY_BYTES + 4, this.#positions[i] ?? 0);
    }
    return this.#seal(bytes);
  }

  /** The contents of the `.timeindex` file. */
  encodeTimestamps(): Uint8Array {
    const bytes = new Uint8Array(this.#count * TIME_ENTRY_BYTES + TRAILER_BYTES);
    const view = new DataView(bytes.buffer);
    for (let i = 0; i < this.#count; i++) {
      view.setBigInt64(i * TIME_ENTRY_BYTES, BigInt(this.#timestampsBefore[i] ?? 0));
      view.setUint32(i * TIME_ENTRY_BYTES + 8, this.#offsets[i] ?? 0);
    }
    return this.#seal(bytes);
  }

  /**
   * Reads the two files of a segment that ends at `endOffset` with `sizeBytes`; `undefined` when they are missing parts,
   * damaged, or of another state of the segment.
   */
  static decode(
    offsets: Uint8Array,
    timestamps: Uint8Array,
    of: { baseOffset: number; endOffset: number; sizeBytes: number; intervalBytes: number },
  ): SegmentIndex | undefined {
    const count = (offsets.length - TRAILER_BYTES) / OFFSET_ENTRY_BYTES;
    if (!Number.isInteger(count) || timestamps.length !== count * TIME_ENTRY_BYTES + TRAILER_BYTES)
      return undefined;
    const trailer = readIndexTrailer(offsets);
    const timeTrailer = readIndexTrailer(timestamps);
    if (trailer === undefined || timeTrailer === undefined) return undefined;
    for (const { endOffset, sizeBytes } of [trailer, timeTrailer]) {
      if (endOffset !== of.endOffset || sizeBytes !== of.sizeBytes) return undefined;
    }
    const index = new SegmentIndex(of.baseOffset, of.intervalBytes);
    index.#grow(count);
    const view = viewOf(offsets);
    const timeView = viewOf(timestamps);
    for (let i = 0; i < count; i++) {
      const offset = view.getUint32(i * OFFSET_ENTRY_BYTES);
      const timestamp = Number(timeView.getBigInt64(i * TIME_ENTRY_BYTES));
      index.#push(offset, view.getUint32(i * OFFSET_ENTRY_BYTES + 4), timestamp);
    }
    index.endOffset = of.endOffset;
    index.sizeBytes = of.sizeBytes;
    index.maxTimestamp = timeTrailer.maxTimestamp;
    index.isTrusted = false;
    return index;
  }

  #entry(i: number): IndexEntry {
    if (i < 0) return { offset: this.baseOffset, position: 0 };
    return { offset: this.baseOffset + (this.#offsets[i] ?? 0), position: this.#positions[i] ?? 0 };
  }

  #push(relativeOffset: number, position: number, timestampBefore: number): void {
    if (this.#count === this.#offsets.length) this.#grow(Math.max(FIRST_CAPACITY, this.#count * 2));
    this.#offsets[this.#count] = relativeOffset;
    this.#positions[this.#count] = position;
    this.#timestampsBefore[this.#count] = timestampBefore;
    this.#count += 1;
  }

  #grow(capacity: number): void {
    const [offsets, positions, timestamps] = [this.#offsets, this.#positions, this.#timestampsBefore];
    this.#offsets = new Uint32Array(capacity);
    this.#positions = new Uint32Array(capacity);
    this.#timestampsBefore = new Float64Array(capacity);
    this.#offsets.set(offsets);
    this.#positions.set(positions);
    this.#timestampsBefore.set(timestamps);
  }

  /** Fills in the trailer: a file counts only for the very state of the segment that it was written for. */
  #seal(bytes: Uint8Array): Uint8Array {
    const view = viewOf(bytes);
    const at = bytes.length - TRAILER_BYTES;
    view.setBigInt64(at, BigInt(this.endOffset));
    view.setBigInt64(at + 8, BigInt(this.sizeBytes));
    view.setBigInt64(at + 16, BigInt(this.maxTimestamp));
    view.setUint32(at + 24, crc32c(bytes, 0, at + 24));
    return bytes;
  }
}

/** The state of the segment that an index file was written for; `undefined` when the file is damaged. */
export function readIndexTrailer(
  bytes: Uint8Array,
): { readonly endOffset: number; readonly sizeBytes: number; readonly maxTimestamp: number } | undefined {
  const at = bytes.length - TRAILER_BYTES;
  if (at < 0) return undefined;
  const view = viewOf(bytes);
  if (view.getUint32(at + 24) !== crc32c(bytes, 0, at + 24)) return undefined;
  return {
    endOffset: Number(view.getBigInt64(at)),
    sizeBytes: Number(view.getBigInt64(at + 8)),
    maxTimestamp: Number(view.getBigInt64(at + 16)),
  };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The last of the first `count` ascending values that is < `bound`; -1 if none is. */
function lastBelow(values: Uint32Array | Float64Array, count: number, bound: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] ?? 0) < bound) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
