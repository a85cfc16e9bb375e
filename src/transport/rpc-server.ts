import type { Listener, ListenOptions, Logger, Network, Timers } from '../platform/ports.ts';
import { CATALOGUE_VERSION } from '../protocol/catalogue.ts';
import { ERROR_CODE } from '../protocol/errors.ts';
import { ApiVersions, type ApiVersionsResponse } from '../protocol/messages/api-versions.ts';
import { RpcConnection, type RpcLimits } from './rpc-connection.ts';
import { type Route, route } from './rpc-route.ts';

export interface RpcServerOptions {
  readonly network: Network;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly routes: Iterable<Route>;
  readonly limits?: Partial<
    RpcLimits & { readonly requestBytesMax: number; readonly connectionsMax: number }
  >;
}

const LIMITS = {
  requestBytesMax: 64 * 2 ** 20,
  connectionsMax: 10_000,
  inFlightRequestsMax: 64,
  inFlightBytesMax: 64 * 2 ** 20,
  bufferedBytesMax: 16 * 2 ** 20,
};

/**
 * Serves APIs to many connections. The requests of one connection are started in the order they came and answered as
 * they complete. What it serves, `ApiVersions` tells from the routes alone, so it cannot lie.
 */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #limits: typeof LIMITS;
  readonly #routes = new Map<number, Route>();
  readonly #connections = new Set<RpcConnection>();
  readonly #listeners: Listener[] = [];
  #nextConnectionId = 1;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    for (const each of [...options.routes, route(ApiVersions, () => this.#apiVersions())]) {
      if (this.#routes.has(each.api.key)) throw new Error(`two handlers for ${each.api.name}`);
      this.#routes.set(each.api.key, each);
    }
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Starts accepting on one address; may be called for several. */
  async listen(options: Pick<ListenOptions, 'host' | 'port' | 'onHttp'>): Promise<Listener> {
    const { network, timers, logger } = this.#options;
    const listener = await network.listen({
      ...options,
      messageBytesMax: this.#limits.requestBytesMax,
      connectionsMax: this.#limits.connectionsMax,
      onConnection: (connection) => {
        const rpc = new RpcConnection({
          id: this.#nextConnectionId++,
          connection,
          routes: this.#routes,
          limits: this.#limits,
          logger,
          timers,
          onClose: () => this.#connections.delete(rpc),
        });
        this.#connections.add(rpc);
        return rpc.handlers;
      },
    });
    this.#listeners.push(listener);
    return listener;
  }

  /** Stops accepting and closes every connection. */
  async close(): Promise<void> {
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
  }

  #apiVersions(): ApiVersionsResponse {
    const apiKeys = [...this.#routes.values()]
      .map(({ api }) => ({ apiKey: api.key, minVersion: api.minVersion, maxVersion: api.maxVersion }))
      .sort((left, right) => left.apiKey - right.apiKey);
    return { errorCode: ERROR_CODE.NONE, apiKeys, throttleTimeMs: 0, catalogueVersion: CATALOGUE_VERSION };
  }
}
