/** What the client needs of the transport below it: a link to one node that answers requests. */

import type { Clock, Logger, Random, Timer, Timers } from '../platform/ports.ts';
import type { Api } from '../protocol/schema.ts';
import { ClientError } from './errors.ts';

export interface SendOptions {
  readonly timeoutMs: number;
  /** The node sends no answer (produce with acks 0): the promise settles once the request was handed over. */
  readonly oneWay?: boolean;
}

/** One node. Connects by itself at the first request; fails requests with retriable `KafkaError`s when it cannot. */
export interface NodeLink {
  send<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    options: SendOptions,
  ): Promise<Response>;
  close(): void;
}

/** Opens links; the address is a WebSocket URL. `onClose` is called whenever its connection ends by itself. */
type OpenLink = (url: string, onClose: (reason: string) => void) => NodeLink;

/** The world of a client: nothing else in this folder touches time, chance or sockets. */
export interface ClientRuntime {
  readonly openLink: OpenLink;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger: Logger;
}

/** Resolves after `delayMs`. */
export function delay(timers: Timers, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    timers.set(delayMs, resolve);
  });
}

/** Settles as `promise` does, and at the deadline (monotonic) at the latest: what is under way then goes on unwatched. */
export async function atMostUntil(
  { clock, timers }: Pick<ClientRuntime, 'clock' | 'timers'>,
  deadlineMs: number,
  promise: Promise<unknown>,
): Promise<void> {
  let timer: Timer | undefined;
  const late = new Promise<void>((resolve) => {
    timer = timers.set(Math.max(0, deadlineMs - clock.monotonicMs()), resolve);
  });
  try {
    await Promise.race([promise, late]);
  } finally {
    if (timer !== undefined) timers.clear(timer);
  }
}

export function abortedError(signal: AbortSignal | undefined): ClientError {
  return new ClientError('ABORTED', 'the operation was aborted', { cause: signal?.reason });
}

/** One alarm clock: setting it again moves it. */
export class Alarm {
  readonly #runtime: ClientRuntime;
  readonly #ring: () => void;
  #timer: Timer | undefined;
  #atMs = Number.POSITIVE_INFINITY;

  constructor(runtime: ClientRuntime, ring: () => void) {
    this.#runtime = runtime;
    this.#ring = ring;
  }

  /** Rings at `atMs` of the monotonic clock; never, when infinite. */
  set(atMs: number): void {
    if (atMs === this.#atMs) return;
    if (this.#timer !== undefined) this.#runtime.timers.clear(this.#timer);
    this.#timer = undefined;
    this.#atMs = atMs;
    if (atMs === Number.POSITIVE_INFINITY) return;
    const delayMs = Math.max(0, atMs - this.#runtime.clock.monotonicMs());
    this.#timer = this.#runtime.timers.set(delayMs, () => {
      this.#timer = undefined;
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#ring();
    });
  }

  clear(): void {
    this.set(Number.POSITIVE_INFINITY);
  }
}

/** For those who want no logs. */
export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};
