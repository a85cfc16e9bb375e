/** Many deadlines on one timer, for those that are seldom reached: to set one and to lift it again costs no timer. */

import type { Clock, Timer, Timers } from './ports.ts';

export interface Deadline {
  readonly atMs: number;
  readonly onReached: () => void;
}

export class Deadlines {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #pending = new Set<Deadline>();
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock, timers: Timers) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** Calls `onReached` once, `delayMs` from now, unless the deadline is lifted before. */
  set(delayMs: number, onReached: () => void): Deadline {
    const deadline = { atMs: this.#clock.monotonicMs() + delayMs, onReached };
    this.#pending.add(deadline);
    this.#arm(deadline.atMs);
    return deadline;
  }

  lift(deadline: Deadline): void {
    this.#pending.delete(deadline);
  }

  /** Lifts all, and leaves no timer. */
  clear(): void {
    this.#pending.clear();
    if (this.#timer) this.#timers.clear(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  /** Where the earliest was lifted, its timer fires in vain, and is set for the next one then. */
  #arm(atMs: number): void {
    if (atMs >= this.#timerAtMs) return;
    if (this.#timer) this.#timers.clear(this.#timer);
    this.#timerAtMs = atMs;
    const delayMs = Math.max(0, atMs - this.#clock.monotonicMs());
    this.#timer = this.#timers.set(delayMs, () => this.#look());
  }

  #look(): void {
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    const reached: Deadline[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const deadline of this.#pending) {
      if (deadline.atMs <= nowMs) reached.push(deadline);
      else nextMs = Math.min(nextMs, deadline.atMs);
    }
    this.#arm(nextMs);
    // One of them may lift another.
    for (const deadline of reached) if (this.#pending.delete(deadline)) deadline.onReached();
  }
}
