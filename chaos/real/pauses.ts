/** One acknowledgement: which partition, and when (monotonic). */
export interface Ack {
  readonly partition: number;
  readonly atMs: number;
}

/**
 * The longest time from one acknowledgement of a partition to its next, over the window from `fromMs` to `toMs`. What
 * was under way at an end of the window counts whole, up to the last acknowledgement known. 0 without partitions.
 */
export function longestPauseMs(
  acks: readonly Ack[],
  partitions: readonly number[],
  fromMs: number,
  toMs: number,
): number {
  let longestMs = 0;
  for (const partition of partitions) {
    let lastMs: number | undefined;
    for (const ack of acks) {
      if (ack.partition !== partition) continue;
      if (lastMs !== undefined && ack.atMs > fromMs) longestMs = Math.max(longestMs, ack.atMs - lastMs);
      lastMs = ack.atMs;
      if (lastMs > toMs) break;
    }
  }
  return longestMs;
}

/** The value that so large a share of the values does not exceed (nearest rank); 0 of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}
