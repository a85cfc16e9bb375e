import { crc32 } from 'node:zlib';

/**
 * A running hash over everything that happened in a world, to prove that a seed replays to the bit; and the last
 * lines of it in clear, to find the first difference when it does not.
 */
export class Trace {
  #low = 0;
  #high = 0x9e3779b9;
  #count = 0;
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

  add(line: string): void {
    this.#low = crc32(line, this.#low);
    this.#high = Math.imul(this.#high ^ this.#low, 0x01000193);
    this.#count += 1;
    if (this.#linesMax === 0) return;
    if (this.#lines.length >= this.#linesMax * 2) this.#lines.splice(0, this.#linesMax);
    this.#lines.push(line);
  }
}

/** A short fingerprint for a trace line, of parts as if they were one. */
export function fingerprint(parts: readonly Uint8Array[]): string {
  let sum = 0;
  let length = 0;
  for (const part of parts) {
    sum = crc32(part, sum);
    length += part.length;
  }
  return `${length}:${sum.toString(16)}`;
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    bytes.set(part, position);
    position += part.length;
  }
  return bytes;
}
