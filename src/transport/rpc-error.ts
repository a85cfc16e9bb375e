import type { CloseReason } from '../platform/ports.ts';
import { api, int16, string, struct } from '../protocol/schema.ts';

/**
 * Why a call got no answer:
 * `disconnected`: there is no connection, or it ended;
 * `timeout`: no answer in time;
 * `unsupported-version`: the server does not serve this API, or no version in common;
 * `overloaded`: more calls wait than `queuedRequestsMax`;
 * `closed`: this client was closed.
 */
export type RpcErrorCode = 'disconnected' | 'timeout' | 'unsupported-version' | 'overloaded' | 'closed';

/** A call failed on the way. An error that the server answered with is a `KafkaError` instead. */
export class RpcError extends Error {
  override readonly name = 'RpcError';
  readonly code: RpcErrorCode;
  /** True when the server may have carried the request out. */
  readonly maybeExecuted: boolean;
  /** How the connection ended, for `disconnected`. */
  readonly reason: CloseReason | undefined;

  constructor(code: RpcErrorCode, message: string, maybeExecuted = false, reason?: CloseReason) {
    super(message);
    this.code = code;
    this.maybeExecuted = maybeExecuted;
    this.reason = reason;
  }

  /** Trying again, here or elsewhere, may succeed. */
  get retriable(): boolean {
    return this.code === 'disconnected' || this.code === 'timeout' || this.code === 'overloaded';
  }
}

/**
 * The answer to a request that failed as a whole: an API or version that is not served, a body that cannot be read, a
 * handler that threw. Its correlation id is that of the request with all bits flipped, so it is negative.
 */
export const RpcFailure = api({
  key: -1,
  name: 'RpcFailure',
  minVersion: 0,
  maxVersion: 0,
  request: struct({}),
  response: struct({ errorCode: int16(), errorMessage: string().nullable() }),
});
