import type { AnyApi, Api } from '../protocol/schema.ts';
import type { Wire } from './wire.ts';

/** Who asks. One object per connection, so that what belongs to a session can be kept by it. */
export interface Caller {
  /** Unique among the connections of this server. */
  readonly connectionId: number;
  readonly remote: string;
  /** By which listener the caller came: the addresses that it is told are of the same one. */
  readonly listener: Wire['name'];
  readonly closed: boolean;
  /** The version of the catalogue that both ends speak: this server's until the caller told its own. */
  readonly catalogueVersion: number;
  /** The caller told which version it speaks. */
  agreeOn(catalogueVersion: number): void;
  /** Calls `fn` when the connection ends (at once if it has): the place to drop what waits on its behalf. */
  onClose(fn: () => void): void;
  /** Ends the connection; what was answered before still leaves. */
  close(reason: string): void;
}

interface RequestContext {
  readonly caller: Caller;
  readonly clientId: string | null;
  readonly apiVersion: number;
  /**
   * Says how large the answer may get, before anything is read for it, or how large it got; replaces what was said
   * before. Returns how much of that fits beside what the caller has not taken yet: 0 when it is to take that first.
   */
  reserveAnswer(bytesMax: number): number;
}

/**
 * Carries out one request. `undefined` sends no response (`acks=0`). A thrown error answers the request with its
 * `errorCode`; one without a code is a bug, and logged as such.
 */
export type Handler<Request, Response> = (
  request: Request,
  context: RequestContext,
) => Promise<Response | undefined> | Response | undefined;

/** An API that a server serves. */
export interface Route {
  readonly api: AnyApi;
  readonly handler: Handler<unknown, unknown>;
}

export function route<Request, Response>(
  api: Api<Request, Response>,
  handler: Handler<Request, Response>,
): Route {
  return { api, handler: handler as Handler<unknown, unknown> };
}
