/** The longest time that any partition stood still, in ms. */
export interface Gaps {
  readonly produceMs: number;
  readonly consumeMs: number;
}

/** When each partition took a record, and when a reader got one: how long none did, of all partitions the longest. */
export class Availability {
  readonly #produced: number[];
  readonly #consumed: number[];
  #longest = { produceMs: 0, consumeMs: 0 };

  constructor(partitions: number) {
    const now = performance.now();
    this.#produced = Array.from({ length: partitions }, () => now);
    this.#consumed = [...this.#produced];
  }

  produced(partition: number): void {
    const now = performance.now();
    this.#longest.produceMs = Math.max(this.#longest.produceMs, now - (this.#produced[partition] ?? now));
    this.#produced[partition] = now;
  }

  consumed(partition: number): void {
    const now = performance.now();
    this.#longest.consumeMs = Math.max(this.#longest.consumeMs, now - (this.#consumed[partition] ?? now));
    this.#consumed[partition] = now;
  }

  /** What was measured so far is forgotten; what stands still now counts from the start of its standstill. */
  begin(): void {
    this.#longest = { produceMs: 0, consumeMs: 0 };
  }

  /** Since `begin`, up to now. */
  end(): Gaps {
    const now = performance.now();
    return {
      produceMs: Math.max(this.#longest.produceMs, now - Math.min(...this.#produced)),
      consumeMs: Math.max(this.#longest.consumeMs, now - Math.min(...this.#consumed)),
    };
  }
}
