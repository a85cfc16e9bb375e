/** Keeps the indexes of closed segments in memory up to a limit, the most recently used. */

import type { Segment } from './segment.ts';

export class IndexCache {
  readonly #bytesMax: number;
  #bytes = 0;
  /** In order of last use. */
  readonly #segments = new Map<Segment, number>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** A closed segment's index was used. May drop others' (never this one's). */
  touch(segment: Segment): void {
    this.forget(segment);
    const bytes = segment.index?.memoryBytes ?? 0;
    this.#segments.set(segment, bytes);
    this.#bytes += bytes;
    for (const [oldest, oldestBytes] of this.#segments) {
      if (this.#bytes <= this.#bytesMax || oldest === segment) return;
      this.#segments.delete(oldest);
      this.#bytes -= oldestBytes;
      oldest.index = undefined;
    }
  }

  /** The segment is active again or gone: its index is not this cache's to drop. */
  forget(segment: Segment): void {
    this.#bytes -= this.#segments.get(segment) ?? 0;
    this.#segments.delete(segment);
  }
}
