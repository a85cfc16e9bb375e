/**
 * Snappy's block format in JavaScript, where there is no native one: a varint with the length of the whole, then
 * literals and copies of what came before (google/snappy, format_description.txt).
 */

import { corrupt } from './corrupt.ts';
import { read32 } from './read32.ts';

/** Blocks are compressed in fragments of this size, so that every offset fits two bytes. */
const FRAGMENT_BYTES = 65_536;
const HASH_BITS = 14;
const HASH_SHIFT = 32 - HASH_BITS;
const HASH_MULTIPLIER = 0x1e35a7bd;
/** The shortest match that is looked for. */
const MATCH_BYTES_MIN = 4;
const COPY_BYTES_MAX = 64;
/** Where nothing matches, every 32 misses widen the stride, as the original does. */
const SKIP_BITS = 5;
/** A copy of 64 bytes takes three: nothing grows by more than this factor. */
const EXPANSION_MAX = 22;

const table = new Int32Array(1 << HASH_BITS);

/** The length that a block claims for its content, checked against what its bytes can hold. */
export function snappyLength(block: Uint8Array): { readonly length: number; readonly start: number } {
  let length = 0;
  let shift = 1;
  for (let i = 0; i < Math.min(5, block.length); i++) {
    const byte = block[i] as number;
    length += (byte & 0x7f) * shift;
    shift *= 128;
    if (byte >= 0x80) continue;
    if (length > block.length * EXPANSION_MAX) break;
    return { length, start: i + 1 };
  }
  throw corrupt('a snappy block claims an impossible length');
}

export function snappyUncompress(block: Uint8Array): Uint8Array {
  const { length, start } = snappyLength(block);
  const out = new Uint8Array(length);
  const end = block.length;
  let at = start;
  let filled = 0;
  while (at < end) {
    const tag = block[at++] as number;
    const kind = tag & 3;
    if (kind === 0) {
      let count = (tag >>> 2) + 1;
      if (count > 60) {
        const extra = count - 60;
        if (at + extra > end) throw corrupt('a snappy literal is cut off');
        count = littleEndian(block, at, extra) + 1;
        at += extra;
      }
      if (count > end - at || count > length - filled) throw corrupt('a snappy literal is too long');
      out.set(block.subarray(at, at + count), filled);
      at += count;
      filled += count;
      continue;
    }
    const extra = kind === 3 ? 4 : kind;
    if (at + extra > end) throw corrupt('a snappy copy is cut off');
    const count = kind === 1 ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const low = littleEndian(block, at, extra);
    const offset = kind === 1 ? ((tag >>> 5) << 8) | low : low;
    at += extra;
    if (offset === 0 || offset > filled || count > length - filled)
      throw corrupt('a snappy copy is out of bounds');
    copyWithin(out, filled, offset, count);
    filled += count;
  }
  if (filled !== length) throw corrupt(`a snappy block has ${filled} of ${length} bytes`);
  return out;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number);
  return value;
}

/** A copy may overlap what it writes: that is how runs are made. */
function copyWithin(out: Uint8Array, at: number, offset: number, count: number): void {
  if (offset >= count) {
    out.copyWithin(at, at - offset, at - offset + count);
    return;
  }
  for (let i = 0; i < count; i++) out[at + i] = out[at + i - offset] as number;
}

export function snappyCompress(input: Uint8Array): Uint8Array {
  const out = new Uint8Array(32 + input.length + Math.ceil(input.length / 6));
  let at = 0;
  let rest = input.length;
  while (rest > 0x7f) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  for (let start = 0; start < input.length; start += FRAGMENT_BYTES) {
    at = compressFragment(input, start, Math.min(start + FRAGMENT_BYTES, input.length), out, at);
  }
  return out.subarray(0, at);
}

function compressFragment(
  input: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  from: number,
): number {
  table.fill(-1);
  let at = from;
  let literalStart = start;
  let position = start;
  let misses = 1 << SKIP_BITS;
  while (position + MATCH_BYTES_MIN <= end) {
    const word = read32(input, position);
    const slot = Math.imul(word, HASH_MULTIPLIER) >>> HASH_SHIFT;
    const candidate = table[slot] as number;
    table[slot] = position;
    if (candidate < start || read32(input, candidate) !== word) {
      position += misses++ >>> SKIP_BITS;
      continue;
    }
    misses = 1 << SKIP_BITS;
    at = writeLiteral(input, literalStart, position, out, at);
    let length = MATCH_BYTES_MIN;
    while (position + length < end && input[candidate + length] === input[position + length]) length++;
    at = writeCopy(out, at, position - candidate, length);
    position += length;
    literalStart = position;
  }
  return writeLiteral(input, literalStart, end, out, at);
}

function writeLiteral(input: Uint8Array, start: number, end: number, out: Uint8Array, from: number): number {
  const count = end - start;
  if (count === 0) return from;
  let at = from;
  const last = count - 1;
  if (last < 60) {
    out[at++] = last << 2;
  } else if (last < 256) {
    out[at++] = 60 << 2;
    out[at++] = last;
  } else {
    out[at++] = 61 << 2;
    out[at++] = last & 0xff;
    out[at++] = last >>> 8;
  }
  out.set(input.subarray(start, end), at);
  return at + count;
}

function writeCopy(out: Uint8Array, from: number, offset: number, length: number): number {
  let at = from;
  for (let left = length; left > 0; ) {
    const count = Math.min(left, COPY_BYTES_MAX);
    out[at++] = ((count - 1) << 2) | 2;
    out[at++] = offset & 0xff;
    out[at++] = offset >>> 8;
    left -= count;
  }
  return at;
}
