/** Lets the application's calls wait until something happens to a consumer. */

import type { ClientRuntime } from './rpc.ts';

export class ChangeSignal {
  readonly #runtime: ClientRuntime;
  readonly #waiters = new Set<() => void>();

  constructor(runtime: ClientRuntime) {
    this.#runtime = runtime;
  }

  /** Something happened. */
  notify(): void {
    for (const wakeUp of [...this.#waiters]) wakeUp();
  }

  /** Resolves when something happens, at the deadline (monotonic; infinite: never), or when the signal fires. */
  async next(deadlineMs: number, signal?: AbortSignal): Promise<void> {
    const { timers, clock } = this.#runtime;
    await new Promise<void>((resolve) => {
      const finish = () => {
        if (timer !== undefined) timers.clear(timer);
        signal?.removeEventListener('abort', finish);
        this.#waiters.delete(finish);
        resolve();
      };
      const timer =
        deadlineMs === Number.POSITIVE_INFINITY
          ? undefined
          : timers.set(Math.max(0, deadlineMs - clock.monotonicMs()), finish);
      signal?.addEventListener('abort', finish, { once: true });
      this.#waiters.add(finish);
    });
  }
}
