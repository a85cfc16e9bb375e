import type { Acceptor, Listener, ListenOptions, Logger, Meter, Sample, Timers } from '../platform/ports.ts';
import { silentMeter } from '../platform/silent-meter.ts';
import { CATALOGUE_VERSION } from '../protocol/catalogue-version.ts';
import { ERROR_CODE } from '../protocol/errors.ts';
import { ApiVersions, type ApiVersionsResponse } from '../protocol/messages/api-versions.ts';
import { TRANSPORT_METRICS } from './metrics.ts';
import { msgpackWire } from './msgpack-wire.ts';
import { RpcConnection, type RpcLimits } from './rpc-connection.ts';
import { RpcEvents } from './rpc-events.ts';
import { type Route, route } from './rpc-route.ts';
import type { Wire } from './wire.ts';

export interface RpcServerOptions {
  /** Which node this is: whoever connects is told. */
  readonly nodeId?: number;
  /** Where it listens, unless told otherwise. */
  readonly network: Acceptor;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
  /** Those of newer APIs than `catalogueVersion` are not served. */
  readonly routes: Iterable<Route>;
  /** The version of the catalogue to speak; the newest by default. */
  readonly catalogueVersion?: number;
  readonly limits?: Partial<
    RpcLimits & { readonly requestBytesMax: number; readonly connectionsMax: number }
  >;
}

export interface RpcListenOptions extends Pick<ListenOptions, 'host' | 'port' | 'onHttp'> {
  /** The encoding spoken there; our own by default. */
  readonly wire?: Wire;
  readonly network?: Acceptor;
}

const LIMITS = {
  requestBytesMax: 64 * 2 ** 20,
  connectionsMax: 10_000,
  inFlightRequestsMax: 64,
  inFlightBytesMax: 64 * 2 ** 20,
  bufferedBytesMax: 16 * 2 ** 20,
};

/**
 * Serves APIs to many connections, on any number of listeners and wires. The requests of one connection are started in
 * the order they came. What a wire serves, its `ApiVersions` tells from the routes alone, so it cannot lie.
 */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #limits: typeof LIMITS;
  readonly #routes: readonly Route[];
  readonly #catalogueVersion: number;
  readonly #connections = new Set<RpcConnection>();
  readonly #listeners: Listener[] = [];
  readonly #wires = new Set<Wire['name']>();
  #nextConnectionId = 1;

  constructor(options: RpcServerOptions) {
    this.#options = options;
    this.#limits = { ...LIMITS, ...options.limits };
    const { catalogueVersion = CATALOGUE_VERSION } = options;
    this.#catalogueVersion = catalogueVersion;
    this.#routes = [...options.routes].filter(({ api }) => api.since <= catalogueVersion);
    options.meter?.onScrape((sample) => this.#sample(sample));
    const keys = new Set([ApiVersions.key]);
    for (const { api } of this.#routes) {
      if (keys.has(api.key)) throw new Error(`two handlers for ${api.name}`);
      keys.add(api.key);
    }
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Starts accepting on one address; may be called for several. */
  async listen(options: RpcListenOptions): Promise<Listener> {
    const { timers, logger } = this.#options;
    const { wire = msgpackWire, network = this.#options.network, ...address } = options;
    const routes = this.#routesOn(wire);
    const events = new RpcEvents(this.#options.meter ?? silentMeter, wire.name);
    this.#wires.add(wire.name);
    const listener = await network.listen({
      ...address,
      messageBytesMax: this.#limits.requestBytesMax,
      connectionsMax: this.#limits.connectionsMax,
      onRefused: (reason) => events.refused(reason),
      onConnection: (connection) => {
        events.opened.add();
        const rpc = new RpcConnection({
          id: this.#nextConnectionId++,
          connection,
          wire,
          routes,
          catalogueVersion: this.#catalogueVersion,
          limits: this.#limits,
          events,
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

  #sample(sample: Sample): void {
    for (const listener of this.#wires) {
      const load = { connections: 0, waiting: 0, inFlight: 0, bufferedBytes: 0 };
      for (const connection of this.#connections) {
        if (connection.listener !== listener) continue;
        load.connections++;
        load.waiting += connection.waitingRequests;
        load.inFlight += connection.inFlightRequests;
        load.bufferedBytes += connection.bufferedBytes;
      }
      sample(TRANSPORT_METRICS.connections, load.connections, listener);
      sample(TRANSPORT_METRICS.waiting, load.waiting, listener);
      sample(TRANSPORT_METRICS.inFlight, load.inFlight, listener);
      sample(TRANSPORT_METRICS.buffered, load.bufferedBytes, listener);
    }
  }

  #routesOn(wire: Wire): ReadonlyMap<number, Route> {
    const served = this.#routes.filter(({ api }) => wire.servedVersions(api) !== undefined);
    const hello = route(ApiVersions, ({ catalogueVersion }, { caller }): ApiVersionsResponse => {
      caller.agreeOn(catalogueVersion);
      return answer;
    });
    const all = [...served, hello];
    const answer = apiVersions(wire, all, this.#catalogueVersion, this.#options.nodeId);
    return new Map(all.map((each) => [each.api.key, each]));
  }
}

function apiVersions(
  wire: Wire,
  routes: readonly Route[],
  catalogueVersion: number,
  nodeId = -1,
): ApiVersionsResponse {
  const apiKeys = routes
    .flatMap(({ api }) => {
      const range = wire.advertisedVersions(api);
      return range ? [{ apiKey: api.key, minVersion: range[0], maxVersion: range[1] }] : [];
    })
    .sort((left, right) => left.apiKey - right.apiKey);
  return { errorCode: ERROR_CODE.NONE, apiKeys, throttleTimeMs: 0, catalogueVersion, nodeId };
}
