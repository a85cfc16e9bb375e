/**
 * The simulator's only source of chance: sfc32, seeded from text. Each concern (network, one disk, one node's
 * ids, ...) forks its own stream, so that a change in one concern does not shift the numbers of every other.
 */
export class Prng {
  readonly #seed: string;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: string) {
    this.#seed = seed;
    [this.#a, this.#b, this.#c] = hashText(seed);
    for (let round = 0; round < 12; round += 1) this.#next();
  }

  /** An independent stream, the same for the same label. */
  fork(label: string): Prng {
    return new Prng(`${this.#seed}/${label}`);
  }

  /** A float in [0, 1) with 53 bits. */
  float(): number {
    return ((this.#next() >>> 5) * 0x4000000 + (this.#next() >>> 6)) / 0x20000000000000;
  }

  /** An integer in [from, to], both inclusive. */
  between(from: number, to: number): number {
    return from + Math.floor(this.float() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return probability > 0 && this.float() < probability;
  }

  /** Exponentially distributed with the given mean: mostly small, now and then large. */
  exponential(mean: number): number {
    return mean === 0 ? 0 : -Math.log(1 - this.float()) * mean;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.between(0, items.length - 1)];
    if (item === undefined) throw new Error('pick from an empty list');
    return item;
  }

  shuffle<T>(items: readonly T[]): T[] {
    const left = [...items];
    const shuffled: T[] = [];
    while (left.length > 0) shuffled.push(...left.splice(this.between(0, left.length - 1), 1));
    return shuffled;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let index = 0; index < length; index += 1) bytes[index] = this.#next() & 0xff;
    return bytes;
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum;
  }
}

/** Three 32-bit words from a text (FNV-1a with different starts, then mixed as in murmur3). */
function hashText(text: string): [number, number, number] {
  const words = [0x811c9dc5, 0x9e3779b9, 0x85ebca6b].map((start) => {
    let hash = start;
    for (let index = 0; index < text.length; index += 1) {
      hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
    }
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return hash ^ (hash >>> 16);
  });
  return [words[0] ?? 0, words[1] ?? 0, words[2] ?? 0];
}
