const STEP = 1.02;
const FLOOR_MS = 0.01;
const CEILING_MS = 3_600_000;
const STEP_LOG = Math.log(STEP);
const BUCKETS = bucketOf(CEILING_MS) + 1;

/** Latencies in buckets that grow by 2 percent each: any number of them in the same small memory. */
export class LatencyHistogram {
  readonly #buckets = new Float64Array(BUCKETS);
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  add(latencyMs: number, times = 1): void {
    const bucket = bucketOf(Math.min(Math.max(latencyMs, FLOOR_MS), CEILING_MS));
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + times;
    this.#count += times;
    this.#maxMs = Math.max(this.#maxMs, latencyMs);
  }

  /** The latency that `percent` of all stay at or below, to within 2 percent; null when there is none. */
  percentile(percent: number): number | null {
    if (this.#count === 0) return null;
    const rank = Math.ceil((this.#count * percent) / 100);
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#buckets[bucket] ?? 0;
      if (seen >= rank) return Math.min(FLOOR_MS * STEP ** bucket, this.#maxMs);
    }
    return this.#maxMs;
  }
}

/** The first bucket whose upper end is not below the latency. */
function bucketOf(latencyMs: number): number {
  return Math.ceil(Math.log(latencyMs / FLOOR_MS) / STEP_LOG - 1e-9);
}
