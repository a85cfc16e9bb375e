/** LZ4's block format in JavaScript: sequences of literals and a copy of what came before (lz4_Block_format.md). */

import { corrupt, tooLarge } from './corrupt.ts';
import { read32 } from './read32.ts';

const MATCH_BYTES_MIN = 4;
const OFFSET_MAX = 65_535;
/** The last five bytes are always literals, and no match begins within the last twelve: decoders count on it. */
const LAST_LITERALS = 5;
const MATCH_END_MARGIN = 12;
const RUN_MASK = 15;
const HASH_BITS = 14;
const HASH_SHIFT = 32 - HASH_BITS;
const HASH_MULTIPLIER = 0x9e3779b1;
const SKIP_BITS = 6;

const table = new Int32Array(1 << HASH_BITS);

/** What `block[start, end)` grows to, found without decoding it. An error where that is more than `bytesMax`. */
export function lz4BlockLength(block: Uint8Array, start: number, end: number, bytesMax: number): number {
  let at = start;
  let length = 0;
  while (at < end) {
    const token = block[at++] as number;
    let literals = token >>> 4;
    if (literals === RUN_MASK) {
      let byte = 255;
      while (byte === 255) {
        if (at >= end) throw corrupt('an LZ4 block is cut off');
        byte = block[at++] as number;
        literals += byte;
      }
    }
    if (literals > end - at) throw corrupt('an LZ4 literal is too long');
    at += literals;
    length += literals;
    if (at < end) {
      at += 2;
      let match = token & RUN_MASK;
      if (match === RUN_MASK) {
        let byte = 255;
        while (byte === 255) {
          if (at >= end) throw corrupt('an LZ4 block is cut off');
          byte = block[at++] as number;
          match += byte;
        }
      }
      if (at > end) throw corrupt('an LZ4 block is cut off');
      length += match + MATCH_BYTES_MIN;
    }
    if (length > bytesMax) throw tooLarge(bytesMax);
  }
  return length;
}

/**
 * Decodes `block[start, end)`, which `lz4BlockLength` has measured, into `out` at `from`. Matches may reach back to
 * `historyStart`. Returns the position behind what was written.
 */
export function lz4DecodeBlock(
  block: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  from: number,
  historyStart: number,
): number {
  let at = start;
  let filled = from;
  while (at < end) {
    const token = block[at++] as number;
    let literals = token >>> 4;
    if (literals === RUN_MASK) {
      let byte = 255;
      while (byte === 255) {
        byte = block[at++] as number;
        literals += byte;
      }
    }
    if (literals > 16) out.set(block.subarray(at, at + literals), filled);
    else for (let i = 0; i < literals; i++) out[filled + i] = block[at + i] as number;
    at += literals;
    filled += literals;
    if (at >= end) break;
    const offset = (block[at] as number) | ((block[at + 1] as number) << 8);
    at += 2;
    let match = token & RUN_MASK;
    if (match === RUN_MASK) {
      let byte = 255;
      while (byte === 255) {
        byte = block[at++] as number;
        match += byte;
      }
    }
    match += MATCH_BYTES_MIN;
    if (offset === 0 || filled - offset < historyStart) throw corrupt('an LZ4 match is out of bounds');
    // A match may overlap what it writes: that is how runs are made.
    if (offset >= match && match > 32) out.copyWithin(filled, filled - offset, filled - offset + match);
    else for (let i = 0; i < match; i++) out[filled + i] = out[filled + i - offset] as number;
    filled += match;
  }
  return filled;
}

/** The most that a block of `length` bytes can take. */
export const lz4BlockBound = (length: number): number => length + Math.ceil(length / 255) + 16;

/** Compresses `input[start, end)` by itself into `out` at `from`; returns the position behind it. */
export function lz4EncodeBlock(
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
  const matchStartMax = end - MATCH_END_MARGIN;
  const matchEndMax = end - LAST_LITERALS;
  while (position <= matchStartMax) {
    const word = read32(input, position);
    const slot = Math.imul(word, HASH_MULTIPLIER) >>> HASH_SHIFT;
    const candidate = table[slot] as number;
    table[slot] = position;
    if (candidate < start || position - candidate > OFFSET_MAX || read32(input, candidate) !== word) {
      position += misses++ >>> SKIP_BITS;
      continue;
    }
    misses = 1 << SKIP_BITS;
    let length = MATCH_BYTES_MIN;
    while (position + length < matchEndMax && input[candidate + length] === input[position + length])
      length++;
    at = writeSequence(input, literalStart, position, position - candidate, length, out, at);
    position += length;
    literalStart = position;
  }
  return writeLiterals(input, literalStart, end, 0, out, at);
}

function writeSequence(
  input: Uint8Array,
  literalStart: number,
  literalEnd: number,
  offset: number,
  length: number,
  out: Uint8Array,
  from: number,
): number {
  const match = length - MATCH_BYTES_MIN;
  let at = writeLiterals(input, literalStart, literalEnd, Math.min(match, RUN_MASK), out, from);
  out[at++] = offset & 0xff;
  out[at++] = offset >>> 8;
  return match >= RUN_MASK ? writeRun(match - RUN_MASK, out, at) : at;
}

/** The token, whose lower half is the match's, and the literals. */
function writeLiterals(
  input: Uint8Array,
  start: number,
  end: number,
  matchToken: number,
  out: Uint8Array,
  from: number,
): number {
  const count = end - start;
  out[from] = (Math.min(count, RUN_MASK) << 4) | matchToken;
  const at = count >= RUN_MASK ? writeRun(count - RUN_MASK, out, from + 1) : from + 1;
  out.set(input.subarray(start, end), at);
  return at + count;
}

function writeRun(count: number, out: Uint8Array, from: number): number {
  let at = from;
  let left = count;
  for (; left >= 255; left -= 255) out[at++] = 255;
  out[at++] = left;
  return at;
}
