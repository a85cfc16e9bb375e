/**
 * LZ4 in its frame format (lz4_Frame_format.md), which is what Kafka's record batches of format 2 use. Frames are measured before
 * anything is allocated, and the same walk checks them, so that no native decoder meets lengths that lie.
 */

import type { Codec } from '../compression.ts';
import { corrupt, joined, tooLarge } from './corrupt.ts';
import { lz4BlockBound, lz4BlockLength, lz4DecodeBlock, lz4EncodeBlock } from './lz4-block.ts';
import { xxhash32Short } from './xxhash32.ts';

/** Whole frames, by whatever does it fastest. */
export interface Lz4Frames {
  compress(bytes: Uint8Array): Uint8Array;
  /** One frame, which has been checked. */
  uncompress(frame: Uint8Array): Uint8Array;
}

const MAGIC = 0x184d2204;
const VERSION_1 = 0x40;
const FLAG = {
  independent: 0x20,
  blockChecksum: 0x10,
  contentSize: 0x08,
  contentChecksum: 0x04,
  dictionary: 0x01,
};
/** Of the sizes that a header can announce, what Java writes too: 64 KiB. */
const BLOCK_BYTES_ID = 4;
const BLOCK_BYTES = 65_536;
const RAW_BLOCK = 0x8000_0000;
const CHECKSUM_BYTES = 4;

interface Block {
  readonly start: number;
  readonly end: number;
  readonly isRaw: boolean;
}

interface Frame {
  readonly start: number;
  readonly end: number;
  readonly blocks: readonly Block[];
  /** A block's matches may reach back into the frame's earlier blocks. */
  readonly isLinked: boolean;
  readonly contentBytes: number;
}

export function lz4Codec(native?: Lz4Frames): Codec {
  const uncompress = (bytes: Uint8Array, frame: Frame): Uint8Array =>
    native === undefined ? decode(bytes, frame) : native.uncompress(bytes.subarray(frame.start, frame.end));
  return {
    compress: (bytes) => (native === undefined ? encode(bytes) : native.compress(bytes)),
    decompress(bytes, bytesMax) {
      // All are measured before the first is decoded.
      const frames = framesOf(bytes, bytesMax);
      const chunks = frames.map((frame) => uncompress(bytes, frame));
      return joined(
        chunks,
        chunks.reduce((sum, { length }) => sum + length, 0),
      );
    },
  };
}

function framesOf(bytes: Uint8Array, bytesMax: number): Frame[] {
  const frames: Frame[] = [];
  let left = bytesMax;
  let at = 0;
  if (bytes.length === 0) throw corrupt('no LZ4 frame');
  while (at < bytes.length) {
    const frame = measure(bytes, at, left);
    frames.push(frame);
    left -= frame.contentBytes;
    at = frame.end;
  }
  return frames;
}

/** Every block of the frame, and what they grow to together. */
function measure(bytes: Uint8Array, start: number, bytesMax: number): Frame {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (bytes.length - start < 8) throw corrupt('an LZ4 frame is cut off');
  if (view.getUint32(start, true) !== MAGIC) throw corrupt('no LZ4 frame');
  const { flags, blockBytesMax, end: headerEnd } = readHeader(bytes, start + 4);
  const checksumBytes = (flags & FLAG.blockChecksum) !== 0 ? CHECKSUM_BYTES : 0;
  const blocks: Block[] = [];
  let contentBytes = 0;
  let at = headerEnd;
  for (;;) {
    if (bytes.length - at < 4) throw corrupt('an LZ4 frame is cut off');
    const word = view.getUint32(at, true);
    at += 4;
    if (word === 0) break;
    const isRaw = word >= RAW_BLOCK;
    const size = isRaw ? word - RAW_BLOCK : word;
    if (size + checksumBytes > bytes.length - at) throw corrupt('an LZ4 block is cut off');
    const length = isRaw ? size : lz4BlockLength(bytes, at, at + size, bytesMax);
    if (length > blockBytesMax) throw corrupt('an LZ4 block is larger than its frame says');
    contentBytes += length;
    if (contentBytes > bytesMax) throw tooLarge(bytesMax);
    blocks.push({ start: at, end: at + size, isRaw });
    at += size + checksumBytes;
  }
  // The checksums of the content are not looked at: the batch's CRC has vouched for these bytes.
  if ((flags & FLAG.contentChecksum) !== 0) at += CHECKSUM_BYTES;
  if (at > bytes.length) throw corrupt('an LZ4 frame is cut off');
  return { start, end: at, blocks, isLinked: (flags & FLAG.independent) === 0, contentBytes };
}

function readHeader(bytes: Uint8Array, start: number): { flags: number; blockBytesMax: number; end: number } {
  const flags = bytes[start] as number;
  const blockBytesId = ((bytes[start + 1] as number) >>> 4) & 7;
  if ((flags & 0xc0) !== VERSION_1 || blockBytesId < 4) throw corrupt('an LZ4 frame of an unknown version');
  if ((flags & FLAG.dictionary) !== 0) throw corrupt('an LZ4 frame with a dictionary');
  const end = start + 2 + ((flags & FLAG.contentSize) !== 0 ? 8 : 0);
  if (end >= bytes.length) throw corrupt('an LZ4 frame is cut off');
  if (bytes[end] !== ((xxhash32Short(bytes, start, end) >>> 8) & 0xff))
    throw corrupt('an LZ4 header is damaged');
  return { flags, blockBytesMax: 4 ** (blockBytesId + 4), end: end + 1 };
}

function decode(bytes: Uint8Array, { blocks, isLinked, contentBytes }: Frame): Uint8Array {
  const out = new Uint8Array(contentBytes);
  let filled = 0;
  for (const { start, end, isRaw } of blocks) {
    if (isRaw) {
      out.set(bytes.subarray(start, end), filled);
      filled += end - start;
    } else {
      filled = lz4DecodeBlock(bytes, start, end, out, filled, isLinked ? 0 : filled);
    }
  }
  return out;
}

function encode(bytes: Uint8Array): Uint8Array {
  const blockCount = Math.ceil(bytes.length / BLOCK_BYTES);
  const out = new Uint8Array(11 + blockCount * (4 + lz4BlockBound(BLOCK_BYTES)));
  const view = new DataView(out.buffer);
  view.setUint32(0, MAGIC, true);
  out[4] = VERSION_1 | FLAG.independent;
  out[5] = BLOCK_BYTES_ID << 4;
  out[6] = (xxhash32Short(out, 4, 6) >>> 8) & 0xff;
  let at = 7;
  for (let start = 0; start < bytes.length; start += BLOCK_BYTES) {
    const end = Math.min(start + BLOCK_BYTES, bytes.length);
    const behind = lz4EncodeBlock(bytes, start, end, out, at + 4);
    if (behind - at - 4 < end - start) {
      view.setUint32(at, behind - at - 4, true);
      at = behind;
    } else {
      view.setUint32(at, RAW_BLOCK + (end - start), true);
      out.set(bytes.subarray(start, end), at + 4);
      at += 4 + (end - start);
    }
  }
  view.setUint32(at, 0, true);
  return out.subarray(0, at + 4);
}
