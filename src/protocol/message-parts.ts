/**
 * One message as the network delivers it: a list of parts whose boundaries mean nothing. A run of bytes that lies in
 * one part is handed out as a view; only one that straddles two is copied.
 */

import { readUint32 } from './bytes.ts';
import { crc32c } from './crc32c.ts';
import { ProtocolError } from './protocol-error.ts';

export class PartsReader {
  readonly #parts: readonly Uint8Array[];
  #index = 0;
  #position = 0;
  #remaining = 0;

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
    for (const part of parts) this.#remaining += part.length;
  }

  get remaining(): number {
    return this.#remaining;
  }

  /** The next `length` bytes. Throws a `ProtocolError` where fewer remain, before anything is allocated. */
  take(length: number): Uint8Array {
    if (length > this.#remaining) {
      throw new ProtocolError(`a section of ${length} bytes where ${this.#remaining} remain`);
    }
    this.#remaining -= length;
    this.#skipEmptyParts();
    const part = this.#parts[this.#index];
    if (length === 0 || part === undefined) return new Uint8Array(0);
    if (part.length - this.#position < length) return this.#join(length);
    // A plain Uint8Array, whatever the part is: the `slice` of Node's Buffer would not copy.
    const view = new Uint8Array(part.buffer, part.byteOffset + this.#position, length);
    this.#position += length;
    return view;
  }

  /** The next four bytes, big-endian. */
  uint32(): number {
    this.#skipEmptyParts();
    const part = this.#parts[this.#index];
    // A view of four bytes would cost more than all else that is done with a short message's prefix.
    if (part === undefined || part.length - this.#position < 4) return readUint32(this.take(4), 0);
    const value = readUint32(part, this.#position);
    this.#position += 4;
    this.#remaining -= 4;
    return value;
  }

  /** Passes over as many bytes. Throws a `ProtocolError` where fewer remain. */
  skip(length: number): void {
    this.#claim(length);
    for (let left = length; left > 0; ) left -= this.#advance(left);
  }

  /** The CRC-32C of the next `length` bytes, behind others whose sum is `before`. Throws where fewer remain. */
  checksum(length: number, before = 0): number {
    this.#claim(length);
    let sum = before;
    for (let left = length; left > 0; ) {
      const count = this.#advance(left);
      const part = this.#parts[this.#index] as Uint8Array;
      sum = crc32c(part, this.#position - count, this.#position, sum);
      left -= count;
    }
    return sum;
  }

  #claim(length: number): void {
    if (length > this.#remaining) throw new ProtocolError(`${length} bytes where ${this.#remaining} remain`);
    this.#remaining -= length;
  }

  /** Passes over what the next part has of so many bytes, and says how many that are. */
  #advance(length: number): number {
    this.#skipEmptyParts();
    const count = Math.min(length, (this.#parts[this.#index] as Uint8Array).length - this.#position);
    this.#position += count;
    return count;
  }

  #skipEmptyParts(): void {
    while (this.#index < this.#parts.length && this.#position === this.#parts[this.#index]?.length) {
      this.#index++;
      this.#position = 0;
    }
  }

  #join(length: number): Uint8Array {
    const joined = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      this.#skipEmptyParts();
      const part = this.#parts[this.#index] as Uint8Array;
      const piece = part.subarray(this.#position, this.#position + length - filled);
      joined.set(piece, filled);
      filled += piece.length;
      this.#position += piece.length;
    }
    return joined;
  }
}
