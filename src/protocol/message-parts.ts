/**
 * One message as the network delivers it: a list of parts whose boundaries mean nothing. A run of bytes that lies in
 * one part is handed out as a view; only one that straddles two is copied.
 */

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

  /** Passes over as many bytes. Throws a `ProtocolError` where fewer remain. */
  skip(length: number): void {
    if (length > this.#remaining) throw new ProtocolError(`${length} bytes where ${this.#remaining} remain`);
    this.#remaining -= length;
    for (let left = length; left > 0; ) {
      this.#skipEmptyParts();
      const step = Math.min(left, (this.#parts[this.#index] as Uint8Array).length - this.#position);
      this.#position += step;
      left -= step;
    }
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
