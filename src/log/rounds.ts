/** The group commit: at most one round of writes and syncs in flight; what arrives meanwhile joins the next. */

import type { Timers } from '../platform/ports.ts';
import type { LogEvents } from './log-events.ts';
import type { PartitionLog } from './partition-log.ts';

export class Rounds {
  readonly #timers: Timers;
  readonly #diskFullRetryMs: number;
  readonly #events: LogEvents;
  readonly #onError: (error: unknown) => void;
  #dirty = new Set<PartitionLog>();
  #running: Promise<void> | undefined;
  #isScheduled = false;
  #isStopped = false;
  #idleWaiters: (() => void)[] = [];

  constructor(timers: Timers, diskFullRetryMs: number, events: LogEvents, onError: (error: unknown) => void) {
    this.#timers = timers;
    this.#diskFullRetryMs = diskFullRetryMs;
    this.#events = events;
    this.#onError = onError;
  }

  /** The disk failed. */
  get isBroken(): boolean {
    return this.#isStopped;
  }

  /** The log has something for the next round. */
  request(log: PartitionLog): void {
    if (this.#isStopped) return;
    this.#dirty.add(log);
    if (this.#running !== undefined || this.#isScheduled) return;
    this.#isScheduled = true;
    // Not at once: what else arrives in this turn of the event loop shares the first round.
    this.#timers.soon(() => {
      this.#isScheduled = false;
      this.#start();
    });
  }

  /** The disk failed outside of a round: the process must end. */
  fail(error: unknown): void {
    this.#onError(error);
  }

  /** Leaves a closed log out from now on; resolves once no round works on it. */
  async drop(log: PartitionLog): Promise<void> {
    this.#dirty.delete(log);
    await this.#running;
    this.#dirty.delete(log);
  }

  /** Resolves once no round runs and none is due (logs on a full disk aside). */
  async idle(): Promise<void> {
    while (!this.#isStopped && (this.#isScheduled || this.#running !== undefined)) {
      await new Promise<void>((resolve) => this.#idleWaiters.push(resolve));
    }
  }

  /** Nothing is promised from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#wakeIdle();
  }

  #start(): void {
    if (this.#isStopped || this.#running !== undefined) return;
    const logs = this.#dirty;
    const startedAt = this.#events.meter.now();
    this.#dirty = new Set();
    this.#running = Promise.all(Array.from(logs, (log) => this.#flush(log))).then(
      () => this.#finish(startedAt),
      (error) => this.#onError(error),
    );
  }

  async #flush(log: PartitionLog): Promise<void> {
    const outcome = await log.flush();
    if (outcome === 'disk-full') this.#timers.set(this.#diskFullRetryMs, () => this.request(log));
    else if (log.isDirty) this.#dirty.add(log);
  }

  #finish(startedAt: number): void {
    this.#events.roundSeconds.observe(this.#events.meter.now() - startedAt);
    this.#running = undefined;
    if (this.#dirty.size > 0) this.#start();
    else this.#wakeIdle();
  }

  #wakeIdle(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const wake of waiters) wake();
  }
}
