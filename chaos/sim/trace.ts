import { crc32 } from 'node:zlib';
import type { SimEvent } from './event-queue.ts';

/** The bits of a number, as two words. */
const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);

/**
 * A running hash over everything that happened in a world, to prove that a seed replays to the bit; and the last
 * lines of it in clear, to find the first difference when it does not.
 *
 * It runs for every event, so it mixes numbers: a text counts by its checksum, which is worked out once.
 */
export class Trace {
  #low = 0;
  #high = 0x9e3779b9 | 0;
  #count = 0;
  readonly #sums = new Map<string, number>();
  readonly #lines: string[] = [];
  readonly #linesMax: number;

  constructor(linesMax: number) {
    this.#linesMax = linesMax;
  }

  get hash(): string {
    return [this.#high, this.#low, this.#count]
      .map((word) => (word >>> 0).toString(16).padStart(8, '0'))
      .join('');
  }

  /** The newest lines, when the world was asked to keep any. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** An event begins. */
  event({ atMs, id, label, detail, owner }: SimEvent): void {
    this.#mixNumber(atMs);
    // Whom and what it happens to are few texts, each with sums all over the 32 bits: as good as one.
    const whom = this.#sumOf(detail) ^ Math.imul(this.#sumOf(owner?.node.name ?? ''), 0x9e3779b1);
    this.#mix(id ^ Math.imul(this.#sumOf(label), 0x85ebca77) ^ Math.imul(whom, 0xc2b2ae3d));
    this.#count += 1;
    if (this.#linesMax > 0) this.#line(`${atMs} ${id} ${label} ${detail} ${owner?.node.name ?? ''}`);
  }

  /** Anything else: a text of which a run has few, and what changes about it. */
  add(text: string, ...numbers: number[]): void {
    this.#mixText(text);
    for (const number of numbers) this.#mixNumber(number);
    this.#count += 1;
    if (this.#linesMax > 0) this.#line([text, ...numbers].join(' '));
  }

  #mixText(text: string): void {
    this.#mix(this.#sumOf(text));
  }

  #sumOf(text: string): number {
    let sum = this.#sums.get(text);
    if (sum === undefined) {
      sum = crc32(text);
      this.#sums.set(text, sum);
    }
    return sum;
  }

  #mixNumber(number: number): void {
    float[0] = number;
    // The low word of a small whole number is 0.
    this.#mix((words[0] ?? 0) ^ Math.imul(words[1] ?? 0, 0x9e3779b1));
  }

  /** Two words of state, each changed by every bit of the other: the finalizer of murmur3, and FNV-1a. */
  #mix(word: number): void {
    let low = this.#low ^ word;
    low = Math.imul(low ^ (low >>> 16), 0x85ebca6b);
    low = Math.imul(low ^ (low >>> 13), 0xc2b2ae35);
    this.#low = (low ^ (low >>> 16)) + this.#high;
    this.#high = Math.imul(this.#high ^ this.#low, 0x01000193);
  }

  #line(line: string): void {
    if (this.#lines.length >= this.#linesMax * 2) this.#lines.splice(0, this.#linesMax);
    this.#lines.push(line);
  }
}

/** A checksum of parts as if they were one. */
export function checksum(parts: readonly Uint8Array[]): number {
  let sum = 0;
  for (const part of parts) sum = crc32(part, sum);
  return sum;
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = new Uint8Array(length);
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}
