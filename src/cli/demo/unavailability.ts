/**
 * How long produce was unavailable: the longest time that a partition had records to acknowledge and acknowledged none.
 * Per partition, since those on healthy nodes would hide the ones that wait for a new leader.
 */
export class Unavailability {
  readonly #partitions = new Map<number, { waiting: number; sinceMs: number }>();
  #longestMs = 0;

  get longestMs(): number {
    return this.#longestMs;
  }

  sent(partition: number, records: number, nowMs: number): void {
    const state = this.#partitions.get(partition);
    if (!state) this.#partitions.set(partition, { waiting: records, sinceMs: nowMs });
    else {
      if (state.waiting === 0) state.sinceMs = nowMs;
      state.waiting += records;
    }
  }

  acknowledged(partition: number, records: number, nowMs: number): void {
    const state = this.#partitions.get(partition);
    if (!state) return;
    this.#longestMs = Math.max(this.#longestMs, nowMs - state.sinceMs);
    state.sinceMs = nowMs;
    state.waiting -= records;
  }

  /** The longest that a partition waits now. */
  waitingMs(nowMs: number): number {
    const waits = [...this.#partitions.values()].filter(({ waiting }) => waiting > 0);
    return Math.max(0, ...waits.map(({ sinceMs }) => nowMs - sinceMs));
  }
}
