/** The client's connections: one link per address, opened at the first request, and which addresses have failed lately. */

import { type Deadline, Deadlines } from '../platform/deadlines.ts';
import type { Api } from '../protocol/schema.ts';
import type { ClientEvents } from './client-events.ts';
import type { ClientStats } from './client-stats.ts';
import type { Emitter } from './emitter.ts';
import { closedError } from './errors.ts';
import type { BrokerAddress } from './metadata-cache.ts';
import type { ClientRuntime, NodeLink, SendOptions } from './rpc.ts';

/** Who wants to know when an answer is late, or does not come. */
interface Watch {
  readonly slowMs: number;
  /** Called after `slowMs` without an answer, from then on twice as often, and when there is none. */
  readonly onTrouble: () => void;
}

export class NodeLinks {
  readonly #bootstrap: readonly string[];
  readonly #runtime: ClientRuntime;
  readonly #events: Emitter<ClientEvents>;
  readonly #stats: ClientStats;
  readonly #links = new Map<string, NodeLink>();
  /** Those that have answered since their connection was made. */
  readonly #connected = new Set<string>();
  /** Of answers that are late. */
  readonly #deadlines: Deadlines;
  /** When a node last failed us (monotonic): those that did not come first. */
  readonly #failedAtMs = new Map<string, number>();
  #closed = false;
  /** The last failure of a node, for messages of timeouts. */
  lastError: unknown;

  constructor(
    bootstrap: readonly string[],
    runtime: ClientRuntime,
    events: Emitter<ClientEvents>,
    stats: ClientStats,
  ) {
    this.#bootstrap = bootstrap;
    this.#runtime = runtime;
    this.#events = events;
    this.#stats = stats;
    this.#deadlines = new Deadlines(runtime.clock, runtime.timers);
  }

  /** Nodes speak the scheme (`ws:` or `wss:`) that the bootstrap list does. */
  urlOf({ host, port }: BrokerAddress): string {
    const scheme = this.#bootstrap[0]?.startsWith('wss:') ? 'wss' : 'ws';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }

  /** Every known address: those that have not failed lately first, otherwise in random order. */
  candidates(brokers: readonly BrokerAddress[]): string[] {
    const { random } = this.#runtime;
    const known = brokers.map((broker) => this.urlOf(broker));
    return [...new Set([...known, ...this.#bootstrap])]
      .map((url) => ({
        url,
        failedAtMs: this.#failedAtMs.get(url) ?? Number.NEGATIVE_INFINITY,
        draw: random.float(),
      }))
      .sort((a, b) =>
        a.failedAtMs === b.failedAtMs ? a.draw - b.draw : a.failedAtMs < b.failedAtMs ? -1 : 1,
      )
      .map(({ url }) => url);
  }

  /** Sends to one address, and remembers whether that went well. */
  async send<Request, Response>(
    url: string,
    api: Api<Request, Response>,
    request: Request,
    options: SendOptions,
    watch?: Watch,
  ): Promise<Response> {
    if (this.#closed) throw closedError('client');
    const { clock } = this.#runtime;
    const watchOn = (watch: Watch, afterMs: number): Deadline =>
      this.#deadlines.set(afterMs, () => {
        watch.onTrouble();
        slow = watchOn(watch, watch.slowMs / 2);
      });
    let slow = watch && watchOn(watch, watch.slowMs);
    const sentAtMs = clock.monotonicMs();
    this.#stats.requests++;
    this.#stats.requestsInFlight++;
    try {
      const response = await this.#link(url).send(api, request, options);
      this.#failedAtMs.delete(url);
      this.#onAnswer(url, api.name, response, clock.monotonicMs() - sentAtMs);
      return response;
    } catch (error) {
      this.#stats.requestsFailed++;
      this.#failedAtMs.set(url, clock.monotonicMs());
      this.lastError = error;
      watch?.onTrouble();
      throw error;
    } finally {
      this.#stats.requestsInFlight--;
      if (slow !== undefined) this.#deadlines.lift(slow);
    }
  }

  #onAnswer(url: string, api: string, response: unknown, latencyMs: number): void {
    this.#stats.latencyMs.observe(latencyMs);
    if (!this.#connected.has(url) && response !== undefined) {
      this.#connected.add(url);
      this.#stats.connects++;
      this.#stats.connections++;
      this.#events.emit('connected', { node: url });
    }
    const { throttleTimeMs = 0 } = (response ?? {}) as { readonly throttleTimeMs?: number };
    if (throttleTimeMs <= 0) return;
    this.#stats.throttleTimeMs += throttleTimeMs;
    this.#events.emit('throttled', { node: url, api, throttleTimeMs });
  }

  #onDisconnected(url: string, reason: string): void {
    this.#stats.disconnects++;
    if (this.#connected.delete(url)) this.#stats.connections--;
    this.#events.emit('disconnected', { node: url, reason });
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#deadlines.clear();
    this.#connected.clear();
    this.#stats.connections = 0;
  }

  #link(url: string): NodeLink {
    let link = this.#links.get(url);
    if (link === undefined) {
      link = this.#runtime.openLink(url, (reason) => this.#onDisconnected(url, reason));
      this.#links.set(url, link);
    }
    return link;
  }
}
