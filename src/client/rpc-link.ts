/** A `NodeLink` over the transport's `RpcClient`: its failures become the `KafkaError`s that the client knows. */

import type { Clock, Dialer, Timers } from '../platform/ports.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { Api } from '../protocol/schema.ts';
import { RpcClient } from '../transport/rpc-client.ts';
import { RpcError } from '../transport/rpc-error.ts';
import type { NodeLink, SendOptions } from './rpc.ts';

export interface RpcLinkOptions {
  readonly dialer: Dialer;
  readonly timers: Timers;
  readonly clock: Clock;
  readonly url: string;
  readonly clientId: string | null;
  readonly connectTimeoutMs: number;
  readonly responseBytesMax: number;
  readonly onDisconnected: (reason: string) => void;
}

export class RpcLink implements NodeLink {
  readonly #options: RpcLinkOptions;
  #client: RpcClient;
  #lastAnswerMs = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(options: RpcLinkOptions) {
    this.#options = options;
    this.#client = this.#open();
  }

  async send<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    options: SendOptions,
  ): Promise<Response> {
    const client = this.#client;
    const sentAtMs = this.#options.clock.monotonicMs();
    try {
      if (options.oneWay) {
        await client.send(api, request, options);
        return undefined as Response;
      }
      const response = await client.call(api, request, options);
      this.#lastAnswerMs = this.#options.clock.monotonicMs();
      return response;
    } catch (error) {
      if (error instanceof RpcError && error.code === 'timeout' && this.#lastAnswerMs < sentAtMs) {
        this.#renew(client);
      }
      throw this.#translate(error);
    }
  }

  close(): void {
    this.#closed = true;
    this.#client.close();
  }

  /** Nothing came over this connection for a whole timeout: it may be half-open, so it is not trusted any more. */
  #renew(client: RpcClient): void {
    if (client !== this.#client || this.#closed) return;
    this.#client = this.#open();
    client.close();
    this.#options.onDisconnected('it was silent for too long');
  }

  #open(): RpcClient {
    const { onDisconnected, ...options } = this.#options;
    return new RpcClient({ ...options, onClose: ({ message }) => onDisconnected(message) });
  }

  #translate(error: unknown): unknown {
    if (!(error instanceof RpcError)) return error;
    const { code, message, maybeExecuted } = error;
    const options = { cause: error };
    if (code === 'unsupported-version') return new KafkaError('UNSUPPORTED_VERSION', message, options);
    if (!maybeExecuted) return new KafkaError('BROKER_NOT_AVAILABLE', message, options);
    return new KafkaError(code === 'timeout' ? 'REQUEST_TIMED_OUT' : 'NETWORK_EXCEPTION', message, options);
  }
}
