import type { Timer, Timers } from '../platform/ports.ts';

/** How often each side pings. Both sides do, so that one which does not read is still heard from. */
const PING_INTERVAL_MS = 2000;
/** Intervals without a sign of life after which a connection counts as half-open. */
const SILENT_INTERVALS_MAX = 3;

/** What the heartbeat needs of a connection. */
export interface Watched {
  ping(): void;
  /** Bytes received, and bytes that the kernel took after it had been full: either growing is a sign of life. */
  progress(): number;
  /** Nothing can be heard while this side does not read. */
  readonly reading: boolean;
  timedOut(silentMs: number): void;
}

/** One timer for all connections of a process part; it finds those whose peer vanished without a word. */
export class Heartbeat {
  readonly #watched = new Map<Watched, { progress: number; silentIntervals: number }>();
  readonly #timers: Timers;
  #timer: Timer | undefined;

  constructor(timers: Timers) {
    this.#timers = timers;
  }

  add(connection: Watched): void {
    this.#watched.set(connection, { progress: connection.progress(), silentIntervals: 0 });
    if (this.#timer === undefined) this.#arm();
  }

  remove(connection: Watched): void {
    this.#watched.delete(connection);
    if (this.#watched.size > 0 || this.#timer === undefined) return;
    this.#timers.clear(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer = this.#timers.set(PING_INTERVAL_MS, () => this.#beat());
  }

  #beat(): void {
    this.#arm();
    for (const [connection, state] of this.#watched) {
      const progress = connection.progress();
      const alive = progress !== state.progress || !connection.reading;
      state.progress = progress;
      state.silentIntervals = alive ? 0 : state.silentIntervals + 1;
      if (state.silentIntervals < SILENT_INTERVALS_MAX) connection.ping();
      else connection.timedOut(state.silentIntervals * PING_INTERVAL_MS);
    }
  }
}
