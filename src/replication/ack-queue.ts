/**
 * Waiters for an offset: a produce request waits until the high watermark (or the synced offset) reached the end of what
 * it appended, or its time is up. Appends come in offset order, so the queue is sorted and reaching an offset takes
 * from its front alone. One timer serves all waiters of a queue.
 */

import type { Clock, Timer, Timers } from '../platform/ports.ts';

/** How a wait ended: the offset was reached, the time was up, or the queue was told to give up. */
export type WaitOutcome = 'reached' | 'timedOut' | 'abandoned';

interface Waiter {
  readonly offset: number;
  readonly deadlineMs: number;
  readonly resolve: (outcome: WaitOutcome) => void;
}

export class AckQueue {
  readonly #clock: Clock;
  readonly #timers: Timers;
  #waiters: Waiter[] = [];
  /** Waiters before this index are done; they are cut off now and then, in one go. */
  #head = 0;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  get size(): number {
    return this.#waiters.length - this.#head;
  }

  /** Resolves when `reach` was called with `offset` or more. */
  wait(offset: number, timeoutMs: number): Promise<WaitOutcome> {
    return new Promise((resolve) => {
      const deadlineMs = this.#clock.monotonicMs() + timeoutMs;
      this.#insert({ offset, deadlineMs, resolve });
      this.#armTimer(deadlineMs);
    });
  }

  reach(offset: number): void {
    for (
      let next = this.#waiters[this.#head];
      next && next.offset <= offset;
      next = this.#waiters[this.#head]
    ) {
      this.#head++;
      next.resolve('reached');
    }
    if (this.#head === this.#waiters.length) {
      this.#waiters.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#waiters = this.#waiters.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Every waiter gives up; the queue can be used again. */
  abandon(): void {
    const waiters = this.#waiters.slice(this.#head);
    this.#waiters = [];
    this.#head = 0;
    if (this.#timer) this.#timers.clear(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    for (const waiter of waiters) waiter.resolve('abandoned');
  }

  /** Nearly always at the end; the retry of an old batch (a duplicate) belongs further to the front. */
  #insert(waiter: Waiter): void {
    let index = this.#waiters.length;
    while (index > this.#head && (this.#waiters[index - 1]?.offset ?? 0) > waiter.offset) index--;
    if (index === this.#waiters.length) this.#waiters.push(waiter);
    else this.#waiters.splice(index, 0, waiter);
  }

  #armTimer(deadlineMs: number): void {
    if (deadlineMs >= this.#timerAtMs) return;
    if (this.#timer) this.#timers.clear(this.#timer);
    this.#timerAtMs = deadlineMs;
    const delayMs = Math.max(0, deadlineMs - this.#clock.monotonicMs());
    this.#timer = this.#timers.set(delayMs, () => this.#expire());
  }

  #expire(): void {
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    const waiting = this.#waiters.slice(this.#head);
    this.#waiters = waiting.filter(({ deadlineMs }) => deadlineMs > nowMs);
    this.#head = 0;
    const earliestMs = this.#waiters.reduce((least, { deadlineMs }) => Math.min(least, deadlineMs), Infinity);
    if (earliestMs < Infinity) this.#armTimer(earliestMs);
    for (const waiter of waiting) if (waiter.deadlineMs <= nowMs) waiter.resolve('timedOut');
  }
}
