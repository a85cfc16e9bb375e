import type { Timer, Timers } from '../platform/ports.ts';
import { nodeTimers } from '../platform/timers.ts';

interface PendingTimer {
  handle: Timer | undefined;
  isCleared: boolean;
}

/** Timers that can all be cleared at once. */
export class TrackedTimers implements Timers {
  readonly #enter: (fn: () => void) => void;
  readonly #pending = new Set<PendingTimer>();
  #isOver = false;

  /** `enter` runs what a timer was set for: at once, unless it knows better. */
  constructor(enter: (fn: () => void) => void = (fn) => fn()) {
    this.#enter = enter;
  }

  set(delayMs: number, fn: () => void): Timer {
    const pending: PendingTimer = { handle: undefined, isCleared: false };
    if (this.#isOver) return { timer: pending };
    pending.handle = nodeTimers.set(delayMs, () => {
      this.#pending.delete(pending);
      this.#enter(() => {
        // It may be cleared after it fired, while what it was set for is held back.
        if (!pending.isCleared) fn();
      });
    });
    this.#pending.add(pending);
    return { timer: pending };
  }

  clear({ timer }: Timer): void {
    const pending = timer as PendingTimer;
    pending.isCleared = true;
    this.#pending.delete(pending);
    if (pending.handle !== undefined) nodeTimers.clear(pending.handle);
  }

  soon(fn: () => void): void {
    nodeTimers.soon(() => {
      if (!this.#isOver) this.#enter(fn);
    });
  }

  /** No timer fires any more. */
  end(): void {
    this.#isOver = true;
    for (const pending of [...this.#pending]) this.clear({ timer: pending });
  }
}
