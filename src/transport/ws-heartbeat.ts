import type { Timer, Timers } from '../platform/ports.ts';

/** How often each side pings. Both sides do, so that one which does not read is still heard from. */
const PING_INTERVAL_MS = 2000;
/** Intervals without a sign of life after which a connection counts as half-open. */
const SILENT_INTERVALS_MAX = 3;
/** Intervals in which a peer may take nothing of what waits for it; the kernels between hold some megabytes more. */
const STALLED_INTERVALS_MAX = 15;

/** What the heartbeat needs of a connection. */
export interface Watched {
  ping(): void;
  /** Bytes received; pongs count. */
  receivedBytes(): number;
  /** Bytes that the kernel took after it had been full: growing, that is a sign of life. */
  drainedBytes(): number;
  /** Bytes that the kernel has not taken. */
  readonly bufferedBytes: number;
  /** Messages sent and received. */
  readonly messages: number;
  /** Nothing can be heard while this side does not read. */
  readonly reading: boolean;
  timedOut(message: string): void;
}

interface State {
  received: number;
  drained: number;
  messages: number;
  silentIntervals: number;
  stalledIntervals: number;
  idleIntervals: number;
}

/**
 * One timer for all connections of a process part. It ends those whose peer vanished without a word, those whose peer
 * lives and yet takes nothing of what it asked for, and (where there is an `idleTimeoutMs`) those that nobody uses.
 */
export class Heartbeat {
  readonly #watched = new Map<Watched, State>();
  readonly #timers: Timers;
  readonly #idleIntervalsMax: number;
  #timer: Timer | undefined;

  constructor(timers: Timers, idleTimeoutMs = Number.POSITIVE_INFINITY) {
    this.#timers = timers;
    this.#idleIntervalsMax = Math.ceil(idleTimeoutMs / PING_INTERVAL_MS);
  }

  add(connection: Watched): void {
    this.#watched.set(connection, {
      received: connection.receivedBytes(),
      drained: connection.drainedBytes(),
      messages: connection.messages,
      silentIntervals: 0,
      stalledIntervals: 0,
      idleIntervals: 0,
    });
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
      observe(connection, state);
      const cause = this.#causeToEnd(connection, state);
      if (cause === undefined) connection.ping();
      else connection.timedOut(cause);
    }
  }

  #causeToEnd({ bufferedBytes }: Watched, state: State): string | undefined {
    const { silentIntervals, stalledIntervals, idleIntervals } = state;
    if (silentIntervals >= SILENT_INTERVALS_MAX)
      return `nothing heard from the other side for ${silentIntervals * PING_INTERVAL_MS} ms`;
    if (stalledIntervals >= STALLED_INTERVALS_MAX)
      return `the other side took none of ${bufferedBytes} bytes for ${stalledIntervals * PING_INTERVAL_MS} ms`;
    if (idleIntervals >= this.#idleIntervalsMax)
      return `no message either way for ${idleIntervals * PING_INTERVAL_MS} ms`;
    return undefined;
  }
}

function observe(connection: Watched, state: State): void {
  const received = connection.receivedBytes();
  const drained = connection.drainedBytes();
  const { messages } = connection;
  const isHeard = received !== state.received || drained !== state.drained || !connection.reading;
  const isStalled = connection.bufferedBytes > 0 && drained === state.drained;
  state.silentIntervals = isHeard ? 0 : state.silentIntervals + 1;
  state.stalledIntervals = isStalled ? state.stalledIntervals + 1 : 0;
  state.idleIntervals = messages === state.messages ? state.idleIntervals + 1 : 0;
  Object.assign(state, { received, drained, messages });
}
