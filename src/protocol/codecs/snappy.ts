/**
 * Snappy as Kafka's clients write it. Java's wraps blocks of 32 KiB in the framing of xerial's snappy-java; librdkafka and
 * others write one bare block. Both are read; written is what Java writes, which all can read.
 */

import type { Codec } from '../compression.ts';
import { corrupt, joined, tooLarge } from './corrupt.ts';
import { snappyLength } from './snappy-block.ts';

/** One bare block, by whatever does it fastest. */
export interface SnappyBlocks {
  compress(bytes: Uint8Array): Uint8Array;
  uncompress(block: Uint8Array): Uint8Array;
}

/** `0x82 SNAPPY 0`, the version 1 and the lowest version that can read it, 1. */
const XERIAL_HEADER = Uint8Array.of(0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1);
const XERIAL_MAGIC_BYTES = 8;
const XERIAL_BLOCK_BYTES = 32_768;
const LENGTH_BYTES = 4;

export function snappyCodec(blocks: SnappyBlocks): Codec {
  return {
    compress: (bytes) => compress(blocks, bytes),
    decompress: (bytes, bytesMax) => decompress(blocks, bytes, bytesMax),
  };
}

function compress(blocks: SnappyBlocks, bytes: Uint8Array): Uint8Array {
  const chunks: Uint8Array[] = [XERIAL_HEADER];
  let totalBytes = XERIAL_HEADER.length;
  for (let start = 0; start < bytes.length; start += XERIAL_BLOCK_BYTES) {
    const block = blocks.compress(bytes.subarray(start, start + XERIAL_BLOCK_BYTES));
    const length = new Uint8Array(LENGTH_BYTES);
    new DataView(length.buffer).setUint32(0, block.length);
    chunks.push(length, block);
    totalBytes += LENGTH_BYTES + block.length;
  }
  return joined(chunks, totalBytes);
}

function decompress(blocks: SnappyBlocks, bytes: Uint8Array, bytesMax: number): Uint8Array {
  if (!isXerial(bytes, 0)) return uncompress(blocks, bytes, bytesMax);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const chunks: Uint8Array[] = [];
  let totalBytes = 0;
  let at = XERIAL_HEADER.length;
  while (at < bytes.length) {
    // Streams may be joined end to end.
    if (isXerial(bytes, at)) {
      at += XERIAL_HEADER.length;
      continue;
    }
    if (at + LENGTH_BYTES > bytes.length) throw corrupt('a snappy block has no length');
    const length = view.getUint32(at);
    at += LENGTH_BYTES;
    if (length > bytes.length - at) throw corrupt('a snappy block is cut off');
    const chunk = uncompress(blocks, bytes.subarray(at, at + length), bytesMax - totalBytes);
    at += length;
    totalBytes += chunk.length;
    chunks.push(chunk);
  }
  return joined(chunks, totalBytes);
}

function isXerial(bytes: Uint8Array, at: number): boolean {
  if (bytes.length - at < XERIAL_HEADER.length) return false;
  for (let i = 0; i < XERIAL_MAGIC_BYTES; i++) if (bytes[at + i] !== XERIAL_HEADER[i]) return false;
  return true;
}

function uncompress(blocks: SnappyBlocks, block: Uint8Array, bytesMax: number): Uint8Array {
  const { length } = snappyLength(block);
  if (length > bytesMax) throw tooLarge(bytesMax);
  return blocks.uncompress(block);
}
