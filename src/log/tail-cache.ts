/**
 * The batches still in memory: per log a `Tail`, the newest batches in order without a gap; over the whole directory a
 * `TailBudget` that evicts the oldest beyond a limit in bytes. A batch that is not on disk yet is never evicted.
 */

import type { Segment } from './segment.ts';

export interface TailBatch {
  readonly baseOffset: number;
  /** The offset after the last one. */
  readonly endOffset: number;
  readonly bytes: Uint8Array;
  readonly segment: Segment;
  /** Where in the segment it is, or will be once it is written. */
  readonly position: number;
}

interface CachedBatch extends TailBatch {
  readonly costBytes: number;
}

export class Tail {
  /** Batches that end at or below this are on disk and may be evicted. Set by the log. */
  writtenOffset = 0;
  readonly #budget: TailBudget;
  #batches: (CachedBatch | undefined)[] = [];
  /** Evicted entries at the front of `#batches`, dropped in larger steps. */
  #head = 0;

  constructor(budget: TailBudget) {
    this.#budget = budget;
  }

  get isEmpty(): boolean {
    return this.#head === this.#batches.length;
  }

  get last(): TailBatch | undefined {
    return this.isEmpty ? undefined : this.#batches.at(-1);
  }

  push(batch: TailBatch): void {
    const { baseOffset, endOffset, bytes, segment, position } = batch;
    const costBytes = this.#budget.charge(this, bytes);
    this.#batches.push({ baseOffset, endOffset, bytes, segment, position, costBytes });
    this.#budget.trim();
  }

  /** Whether the batch that holds `offset` is here. */
  holds(offset: number): boolean {
    const first = this.#batches[this.#head];
    return first !== undefined && first.baseOffset <= offset && offset < (this.last?.endOffset ?? 0);
  }

  /** The batch that holds `offset`, if it is here. */
  find(offset: number): TailBatch | undefined {
    return this.holds(offset) ? this.#batches[this.#search(offset)] : undefined;
  }

  /** The batches from the one that holds `offset` on, for as long as the caller wants them. */
  *from(offset: number): Generator<TailBatch, void, undefined> {
    for (let i = this.#search(offset); i < this.#batches.length; i++) {
      const batch = this.#batches[i];
      if (batch !== undefined) yield batch;
    }
  }

  /** Drops the batches that end after `endOffset`. */
  truncate(endOffset: number): void {
    for (let batch = this.last; batch !== undefined && batch.endOffset > endOffset; batch = this.last) {
      this.#budget.release(this.#batches.pop()?.costBytes ?? 0);
    }
  }

  /** Drops the oldest batch, if it is on disk. */
  evictFirst(): boolean {
    const first = this.#batches[this.#head];
    if (first === undefined || first.endOffset > this.writtenOffset) return false;
    this.#head += 1;
    this.#budget.release(first.costBytes);
    if (this.#head >= 32 && this.#head * 2 >= this.#batches.length) {
      this.#batches = this.#batches.slice(this.#head);
      this.#head = 0;
    } else {
      // Lets go of the bytes at once; the hole is never read.
      this.#batches[this.#head - 1] = undefined;
    }
    return true;
  }

  /** The first batch that ends after `offset`. */
  #search(offset: number): number {
    let low = this.#head;
    let high = this.#batches.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#batches[middle]?.endOffset ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class TailBudget {
  readonly #bytesMax: number;
  #bytes = 0;
  /** One entry for each batch, by its age; a truncated batch leaves its entry behind, which does no harm. */
  #queue: (Tail | undefined)[] = [];
  #head = 0;
  #newestBuffer: ArrayBufferLike | undefined;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /**
   * What keeping a batch costs: a view keeps its whole buffer alive, so the first batch of a buffer (a network message,
   * say) pays for all of it and those that follow nothing.
   */
  charge(tail: Tail, bytes: Uint8Array): number {
    const costBytes = bytes.buffer === this.#newestBuffer ? 0 : bytes.buffer.byteLength;
    this.#newestBuffer = bytes.buffer;
    this.#bytes += costBytes;
    this.#queue.push(tail);
    return costBytes;
  }

  release(costBytes: number): void {
    this.#bytes -= costBytes;
  }

  /** Evicts the oldest batches down to the limit, as far as they are on disk. */
  trim(): void {
    const waiting: Tail[] = [];
    while (this.#bytes > this.#bytesMax && this.#head < this.#queue.length) {
      const tail = this.#queue[this.#head];
      this.#queue[this.#head] = undefined;
      this.#head += 1;
      if (tail !== undefined && !tail.evictFirst() && !tail.isEmpty) {
        waiting.push(tail);
        // What is older than its write comes first; the rest is younger still, so stop looking soon.
        if (waiting.length >= WAITING_MAX) break;
      }
    }
    if (this.#bytes === 0 && waiting.length === 0) this.#newestBuffer = undefined;
    this.#putBack(waiting);
  }

  #putBack(waiting: readonly Tail[]): void {
    for (let i = waiting.length - 1; i >= 0; i--) {
      this.#head -= 1;
      this.#queue[this.#head] = waiting[i];
    }
    if (this.#head >= 1024 && this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

/** How many batches not yet on disk `trim` looks past before it gives up until more is written. */
const WAITING_MAX = 64;
