/**
 * Finds the frames of zstd data and what they can grow to at most, from block headers alone (RFC 8878, section 3.1): so
 * a bomb, a lie or a damaged length is found before anything is allocated, and frames can be decoded one by one.
 */

import { corrupt, tooLarge } from './corrupt.ts';

export interface ZstdFrame {
  readonly start: number;
  readonly end: number;
  /** Undefined where the header does not tell: who compresses a stream does not know it. */
  readonly contentBytes: number | undefined;
  /** What the blocks can hold at most. */
  readonly bytesBound: number;
  /** How far back matches may reach. */
  readonly windowBytes: number;
  readonly isSingleSegment: boolean;
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_BYTES_MAX = 131_072;
const BLOCK = { raw: 0, runLength: 1, compressed: 2 };
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;

/** All frames, skippable ones left out. Throws where what they hold must be more than `bytesMax`. */
export function zstdFrames(bytes: Uint8Array, bytesMax: number): ZstdFrame[] {
  const frames: ZstdFrame[] = [];
  let at = 0;
  if (bytes.length === 0) throw corrupt('no zstd frame');
  while (at < bytes.length) {
    const magic = littleEndian(bytes, at, 4);
    if (magic - (magic % 16) === SKIPPABLE_MAGIC) {
      at += 8 + littleEndian(bytes, at + 4, 4);
      if (at > bytes.length) throw corrupt('a zstd frame is cut off');
      continue;
    }
    if (magic !== MAGIC) throw corrupt('no zstd frame');
    const frame = readFrame(bytes, at, bytesMax);
    frames.push(frame);
    at = frame.end;
  }
  return frames;
}

function readFrame(bytes: Uint8Array, start: number, bytesMax: number): ZstdFrame {
  const descriptor = littleEndian(bytes, start + 4, 1);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  if ((descriptor & 0x08) !== 0) throw corrupt('a zstd frame of an unknown version');
  if ((descriptor & 3) !== 0) throw corrupt('a zstd frame with a dictionary');
  const sizeFlag = descriptor >>> 6;
  const sizeBytes = sizeFlag === 0 ? Number(isSingleSegment) : 1 << sizeFlag;
  let at = start + 5;
  let windowBytes = 0;
  if (!isSingleSegment) {
    const window = littleEndian(bytes, at++, 1);
    const base = 2 ** (10 + (window >>> 3));
    windowBytes = base + (base / 8) * (window & 7);
  }
  const contentBytes =
    sizeBytes === 0 ? undefined : littleEndian(bytes, at, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  at += sizeBytes;
  if (contentBytes !== undefined && contentBytes > bytesMax) throw tooLarge(bytesMax);
  if (isSingleSegment) windowBytes = contentBytes ?? 0;
  const { end, bytesBound } = walkBlocks(bytes, at, Math.min(BLOCK_BYTES_MAX, windowBytes), bytesMax);
  if (contentBytes !== undefined && contentBytes > bytesBound) throw corrupt('a zstd frame claims too much');
  const checksumBytes = (descriptor & 4) !== 0 ? CHECKSUM_BYTES : 0;
  if (end + checksumBytes > bytes.length) throw corrupt('a zstd frame is cut off');
  return { start, end: end + checksumBytes, contentBytes, bytesBound, windowBytes, isSingleSegment };
}

function walkBlocks(
  bytes: Uint8Array,
  start: number,
  blockBytesMax: number,
  bytesMax: number,
): { end: number; bytesBound: number } {
  let at = start;
  let bytesBound = 0;
  let surely = 0;
  for (let isLast = false; !isLast; ) {
    const header = littleEndian(bytes, at, BLOCK_HEADER_BYTES);
    isLast = (header & 1) !== 0;
    const kind = (header >>> 1) & 3;
    const size = header >>> 3;
    if (kind > BLOCK.compressed || size > blockBytesMax) throw corrupt('a zstd block is damaged');
    at += BLOCK_HEADER_BYTES + (kind === BLOCK.runLength ? 1 : size);
    if (at > bytes.length) throw corrupt('a zstd frame is cut off');
    bytesBound += kind === BLOCK.compressed ? blockBytesMax : size;
    if (kind !== BLOCK.compressed) surely += size;
    if (surely > bytesMax) throw tooLarge(bytesMax);
  }
  return { end: at, bytesBound };
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  if (at + count > bytes.length) throw corrupt('a zstd frame is cut off');
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number);
  return value;
}
