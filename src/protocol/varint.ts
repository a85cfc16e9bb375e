/**
 * Zigzag variable-length integers, as record batches use them: 32-bit varints and 64-bit varlongs. A varlong is a
 * JS number, split into two 32-bit halves, so that no BigInt is made for each record.
 */

import { RecordBatchError } from './record-batch-error.ts';

const TWO_32 = 0x1_0000_0000;
const VARINT_BYTES_MAX = 5;
const VARLONG_BYTES_MAX = 10;

function isInt32(value: number): boolean {
  return (value | 0) === value;
}

export function varintBytes(value: number): number {
  const zigzag = ((value << 1) ^ (value >> 31)) >>> 0;
  if (zigzag < 0x80) return 1;
  if (zigzag < 0x4000) return 2;
  if (zigzag < 0x20_0000) return 3;
  return zigzag < 0x1000_0000 ? 4 : 5;
}

/** Writes a 32-bit integer; returns the position behind it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  return writeUnsigned(bytes, position, ((value << 1) ^ (value >> 31)) >>> 0);
}

function writeUnsigned(bytes: Uint8Array, position: number, value: number): number {
  let rest = value;
  let at = position;
  while (rest > 0x7f) {
    bytes[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[at++] = rest;
  return at;
}

export function varlongBytes(value: number): number {
  if (isInt32(value)) return varintBytes(value);
  // The magnitude decides the length: zigzag(v) is 2|v| or 2|v| - 1, and needs one byte for every 7 bits.
  const magnitude = value < 0 ? -value - 1 : value;
  let count = 5;
  for (let limit = 2 ** 34; magnitude >= limit; limit *= 128) count++;
  return count;
}

/** Writes a safe integer (or the difference of two); returns the position behind it. */
export function writeVarlong(bytes: Uint8Array, position: number, value: number): number {
  if (isInt32(value)) return writeVarint(bytes, position, value);
  const plainHigh = Math.floor(value / TWO_32);
  const plainLow = value | 0;
  const sign = plainHigh >> 31;
  let high = (((plainHigh << 1) | (plainLow >>> 31)) ^ sign) >>> 0;
  let low = ((plainLow << 1) ^ sign) >>> 0;
  let at = position;
  while (high !== 0) {
    bytes[at++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  return writeUnsigned(bytes, at, low);
}

/** Reads the records section of a batch from front to back, within its bounds. */
export class VarintReader {
  readonly bytes: Uint8Array;
  position: number;
  /** Where reading must stop; moved by the caller around each record. */
  end: number;

  constructor(bytes: Uint8Array, position: number, end: number) {
    this.bytes = bytes;
    this.position = position;
    this.end = end;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  byte(): number {
    if (this.position >= this.end)
      throw new RecordBatchError('corrupt', 'a record ends in the middle of a field');
    return this.bytes[this.position++] as number;
  }

  varint(): number {
    let zigzag = 0;
    for (let i = 0; i < VARINT_BYTES_MAX; i++) {
      const byte = this.byte();
      zigzag |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) return (zigzag >>> 1) ^ -(zigzag & 1);
    }
    throw new RecordBatchError('corrupt', `a varint is longer than ${VARINT_BYTES_MAX} bytes`);
  }

  varlong(): number {
    // Seven bits a byte: four bytes fill `low`, four `middle`, the last two `high`.
    let low = 0;
    let middle = 0;
    let high = 0;
    for (let i = 0; i < VARLONG_BYTES_MAX; i++) {
      const byte = this.byte();
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i < 8) middle |= bits << (7 * (i - 4));
      else high |= bits << (7 * (i - 8));
      if (byte < 0x80) return this.#safe(low | (middle << 28), (middle >>> 4) | (high << 24));
    }
    throw new RecordBatchError('corrupt', `a varlong is longer than ${VARLONG_BYTES_MAX} bytes`);
  }

  #safe(zigzagLow: number, zigzagHigh: number): number {
    const sign = -(zigzagLow & 1);
    const low = ((zigzagLow >>> 1) | (zigzagHigh << 31)) ^ sign;
    const high = (zigzagHigh >>> 1) ^ sign;
    const value = high * TWO_32 + (low >>> 0);
    if (!Number.isSafeInteger(value)) throw new RecordBatchError('corrupt', 'a varlong is beyond 2^53');
    return value;
  }

  /** A run of bytes with its length before it; `null` for the length -1. A view, not a copy. */
  nullableBytes(): Uint8Array | null {
    const length = this.varint();
    if (length === -1) return null;
    if (length < 0 || length > this.remaining) {
      throw new RecordBatchError('corrupt', `a length of ${length} bytes where ${this.remaining} remain`);
    }
    const start = this.position;
    this.position += length;
    return this.bytes.subarray(start, this.position);
  }
}
