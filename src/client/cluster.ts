/**
 * The client's view of the cluster and its links to the nodes: bootstraps from any node, keeps metadata fresh, finds
 * coordinators. A dead node never blocks: whatever any node can answer is asked of the next one after a moment.
 */

import type { Timer } from '../platform/ports.ts';
import { ERROR_CODE, errorFor, KafkaError } from '../protocol/errors.ts';
import { FindCoordinator } from '../protocol/messages/find-coordinator.ts';
import { Metadata, type MetadataRequest } from '../protocol/messages/metadata.ts';
import type { Api } from '../protocol/schema.ts';
import { ZERO_UUID } from '../protocol/uuid.ts';
import { backoffMs } from './backoff.ts';
import { ClientError, closedError, isRetriable } from './errors.ts';
import { MetadataCache, type TopicMetadata } from './metadata-cache.ts';
import { Alarm, abortedError, type ClientRuntime, delay, type NodeLink, type SendOptions } from './rpc.ts';

export type ClusterLimits = {
  readonly requestTimeoutMs: number;
  readonly retryBackoffMs: number;
  readonly retryBackoffMaxMs: number;
  /** Metadata is refreshed at least this often, to learn of new partitions. */
  readonly metadataMaxAgeMs: number;
  /** A question that any node can answer goes to one more node when there is no answer after this long. */
  readonly hedgeMs: number;
  /** A request without an answer for this long makes the client look whether the leader has moved. */
  readonly slowRequestMs: number;
};

export const CLUSTER_DEFAULTS: ClusterLimits = {
  requestTimeoutMs: 15_000,
  retryBackoffMs: 50,
  retryBackoffMaxMs: 1_000,
  metadataMaxAgeMs: 300_000,
  hedgeMs: 250,
  slowRequestMs: 1_000,
};

const GROUP_KEY_TYPE = 0;

export class Cluster {
  readonly metadata = new MetadataCache();
  readonly limits: ClusterLimits;
  readonly runtime: ClientRuntime;
  readonly #bootstrap: readonly string[];
  readonly #links = new Map<string, NodeLink>();
  /** When a node last failed us (monotonic): those that did not come first. */
  readonly #failedAtMs = new Map<string, number>();
  readonly #coordinators = new Map<string, number>();
  readonly #interest = new Set<string>();
  readonly #interestIds = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #alarm: Alarm;
  #isRefreshing = false;
  #lastRefreshMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #closed = false;
  /** The last failure of a node, for messages of timeouts. */
  lastError: unknown;

  constructor(bootstrap: readonly string[], limits: ClusterLimits, runtime: ClientRuntime) {
    if (bootstrap.length === 0)
      throw new ClientError('INVALID_CONFIG', 'bootstrap: give the address of a node');
    this.#bootstrap = bootstrap;
    this.limits = limits;
    this.runtime = runtime;
    this.#alarm = new Alarm(runtime, () => this.requestUpdate());
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Called after each change of the metadata. Returns how to stop it. */
  onUpdate(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Includes a topic in every refresh from now on. */
  addInterest(topic: string): void {
    if (this.#interest.has(topic)) return;
    this.#interest.add(topic);
    this.requestUpdate();
  }

  addInterestById(topicId: string): void {
    if (this.#interestIds.has(topicId)) return;
    this.#interestIds.add(topicId);
    this.requestUpdate();
  }

  /** Asks for fresh metadata soon: at once after a quiet time, after a backoff when the last refresh is recent. */
  requestUpdate(): void {
    if (this.#closed || this.#isRefreshing) return;
    this.#isRefreshing = true;
    void this.#refresh();
  }

  async #refresh(): Promise<void> {
    const { clock, timers, random, logger } = this.runtime;
    const sinceMs = clock.monotonicMs() - this.#lastRefreshMs;
    const pauseMs = backoffMs(this.limits, Math.max(1, this.#failures), random);
    if (sinceMs < pauseMs) await delay(timers, pauseMs - sinceMs);
    if (this.#closed) return;
    this.#lastRefreshMs = clock.monotonicMs();
    let isFresh = false;
    try {
      this.metadata.apply(await this.askAny(Metadata, this.#metadataRequest()));
      this.#failures = 0;
      isFresh = true;
    } catch (error) {
      this.#failures++;
      if (!this.#closed) logger.warn({ err: error }, 'No node answered the metadata request');
    }
    if (this.#closed) return;
    this.#alarm.set(
      clock.monotonicMs() +
        (isFresh ? this.limits.metadataMaxAgeMs : backoffMs(this.limits, this.#failures, random)),
    );
    // Before the listeners hear of it: one whom this answer does not help asks again, and must be heard.
    this.#isRefreshing = false;
    // Whatever listeners do about it is their own business: an error of one must not stop the refreshing.
    if (isFresh) this.#notify();
  }

  #notify(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  #metadataRequest(): MetadataRequest {
    const byName = [...this.#interest].map((name) => ({ topicId: ZERO_UUID, name }));
    const unknownIds = [...this.#interestIds].filter((topicId) => !this.metadata.topicById(topicId));
    const byId = unknownIds.map((topicId) => ({ topicId, name: null }));
    return { topics: [...byName, ...byId], allowAutoTopicCreation: false };
  }

  /** A broker named the new leader of a partition: no refresh needed, if that is news. */
  leaderHint(topicId: string, partition: number, leaderId: number, leaderEpoch: number): void {
    if (this.metadata.applyLeaderHint(topicId, partition, leaderId, leaderEpoch)) this.#notify();
    else this.requestUpdate();
  }

  /** Resolves at the next update of the metadata, or rejects at the deadline (monotonic). */
  async nextUpdate(deadlineMs: number, signal?: AbortSignal): Promise<void> {
    const { clock, timers } = this.runtime;
    if (this.#closed) throw closedError('client');
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void) => {
        timers.clear(timer);
        stop();
        signal?.removeEventListener('abort', onAbort);
        settle();
      };
      const timer = timers.set(Math.max(0, deadlineMs - clock.monotonicMs()), () =>
        finish(() =>
          reject(
            new ClientError('TIMED_OUT', 'no metadata arrived in time', {
              retriable: true,
              cause: this.lastError,
            }),
          ),
        ),
      );
      const stop = this.onUpdate(() =>
        finish(() => (this.#closed ? reject(closedError('client')) : resolve())),
      );
      const onAbort = () => finish(() => reject(abortedError(signal)));
      signal?.addEventListener('abort', onAbort, { once: true });
      this.requestUpdate();
    });
  }

  /** A topic's metadata, asked for as often as it takes until the deadline (a topic just created is soon known). */
  async topic(name: string, deadlineMs: number, signal?: AbortSignal): Promise<TopicMetadata> {
    this.addInterest(name);
    for (;;) {
      const topic = this.metadata.topic(name);
      if (topic !== undefined) return topic;
      const errorCode = this.metadata.topicError(name);
      if (errorCode !== ERROR_CODE.NONE && !errorFor(errorCode).retriable) throw errorFor(errorCode);
      try {
        await this.nextUpdate(deadlineMs, signal);
      } catch (error) {
        if (errorCode !== ERROR_CODE.NONE)
          throw errorFor(errorCode, `topic ${JSON.stringify(name)} is unknown`);
        throw error;
      }
    }
  }

  /** Sends to one node. A lost connection or a long silence also makes the client look for moved leaders. */
  async send<Request, Response>(
    nodeId: number,
    api: Api<Request, Response>,
    request: Request,
    options: Partial<SendOptions> & { readonly slowMs?: number } = {},
  ): Promise<Response> {
    const address = this.metadata.broker(nodeId);
    if (address === undefined) {
      this.requestUpdate();
      throw new KafkaError('BROKER_NOT_AVAILABLE', `node ${nodeId} is not known (any more)`);
    }
    return this.#sendTo(this.#urlOf(address.host, address.port), api, request, options);
  }

  /**
   * Asks nodes, one after the other and overlapping, until one answers. Only for questions that may be asked twice.
   * Rejects with the last error when all have failed.
   */
  askAny<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response> {
    const candidates = this.candidates();
    const { timers } = this.runtime;
    return new Promise<Response>((resolve, reject) => {
      let next = 0;
      let running = 0;
      let settled = false;
      let hedge: Timer | undefined;
      const settle = (act: () => void) => {
        settled = true;
        if (hedge !== undefined) timers.clear(hedge);
        act();
      };
      const ask = () => {
        if (settled) return;
        const url = candidates[next++];
        if (url === undefined) return;
        running++;
        if (hedge !== undefined) timers.clear(hedge);
        hedge = timers.set(this.limits.hedgeMs, ask);
        this.#sendTo(url, api, request, {}, false).then(
          (response) => {
            if (!settled) settle(() => resolve(response));
          },
          (error: unknown) => {
            running--;
            if (settled) return;
            if (next < candidates.length) ask();
            else if (running === 0) settle(() => reject(error));
          },
        );
      };
      ask();
    });
  }

  /** Sends to any one node, the likeliest to live first; `attempt` >= 0 picks another each time. */
  sendAny<Request, Response>(
    api: Api<Request, Response>,
    request: Request,
    attempt: number,
  ): Promise<Response> {
    const candidates = this.candidates();
    const url = candidates[attempt % candidates.length] as string;
    return this.#sendTo(url, api, request, {});
  }

  /** Every known address: those that have not failed lately first, otherwise in random order. */
  candidates(): string[] {
    const { random } = this.runtime;
    const known = this.metadata.brokers.map(({ host, port }) => this.#urlOf(host, port));
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

  /** The node that coordinates a group, from memory or from any node. */
  async coordinator(groupId: string): Promise<number> {
    return this.#coordinators.get(groupId) ?? (await this.#findCoordinator(groupId));
  }

  async #findCoordinator(groupId: string): Promise<number> {
    const response = await this.askAny(FindCoordinator, {
      keyType: GROUP_KEY_TYPE,
      coordinatorKeys: [groupId],
    });
    const found = response.coordinators.find(({ key }) => key === groupId);
    if (found === undefined) throw new KafkaError('COORDINATOR_NOT_AVAILABLE');
    if (found.errorCode !== ERROR_CODE.NONE) throw errorFor(found.errorCode, found.errorMessage);
    const { nodeId, host, port } = found;
    if (this.metadata.broker(nodeId) === undefined) {
      this.metadata.addBroker({ id: nodeId, host, port, rack: null });
    }
    this.#coordinators.set(groupId, nodeId);
    return nodeId;
  }

  /** Sends to a group's coordinator; `errorOf` finds the error code in a response, to follow a coordinator that moved. */
  async sendToCoordinator<Request, Response>(
    groupId: string,
    api: Api<Request, Response>,
    request: Request,
    errorOf: (response: Response) => number,
    options: Partial<SendOptions> = {},
  ): Promise<Response> {
    const nodeId = await this.coordinator(groupId);
    const watch = this.#watchCoordinator(groupId, nodeId);
    try {
      const response = await Promise.race([this.send(nodeId, api, request, options), watch.moved]);
      const error = errorFor(errorOf(response));
      if (error.action === 'refresh-metadata') this.#forgetCoordinator(groupId, nodeId);
      return response;
    } catch (error) {
      this.#forgetCoordinator(groupId, nodeId);
      throw error;
    } finally {
      watch.stop();
    }
  }

  /** While a coordinator is silent, asks the others now and then whether it still is the one. */
  #watchCoordinator(groupId: string, nodeId: number): { moved: Promise<never>; stop: () => void } {
    const { timers } = this.runtime;
    const { slowRequestMs } = this.limits;
    let stopped = false;
    let timer: Timer | undefined;
    const moved = new Promise<never>((_, reject) => {
      const look = async () => {
        const found = await this.#findCoordinator(groupId).catch(() => nodeId);
        if (stopped) return;
        if (found === nodeId) timer = timers.set(slowRequestMs, () => void look());
        else
          reject(
            new KafkaError('NETWORK_EXCEPTION', `group ${groupId} moved from node ${nodeId} to ${found}`),
          );
      };
      timer = timers.set(slowRequestMs, () => void look());
    });
    // A rejection that comes when nobody races any more is nobody's.
    moved.catch(() => {});
    const stop = () => {
      stopped = true;
      if (timer !== undefined) timers.clear(timer);
    };
    return { moved, stop };
  }

  #forgetCoordinator(groupId: string, nodeId: number): void {
    if (this.#coordinators.get(groupId) === nodeId) this.#coordinators.delete(groupId);
  }

  /** Repeats `attempt` while it fails retriably, with backoff, until the deadline (monotonic). */
  async retry<T>(
    deadlineMs: number,
    attempt: (number: number) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const { clock, timers, random } = this.runtime;
    for (let number = 0; ; number++) {
      if (this.#closed) throw closedError('client');
      try {
        return await attempt(number);
      } catch (error) {
        const pauseMs = backoffMs(this.limits, number + 1, random);
        if (!isRetriable(error) || clock.monotonicMs() + pauseMs >= deadlineMs) throw error;
        await delay(timers, pauseMs, signal);
      }
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#alarm.clear();
    for (const link of this.#links.values()) link.close();
    this.#links.clear();
    this.#notify();
    this.#listeners.clear();
  }

  async #sendTo<Request, Response>(
    url: string,
    api: Api<Request, Response>,
    request: Request,
    options: Partial<SendOptions> & { readonly slowMs?: number },
    refreshWhenLost = true,
  ): Promise<Response> {
    if (this.#closed) throw closedError('client');
    const { timers, clock } = this.runtime;
    const { timeoutMs = this.limits.requestTimeoutMs, slowMs = this.limits.slowRequestMs } = options;
    const onSlow = () => {
      this.requestUpdate();
      slow = timers.set(slowMs, onSlow);
    };
    let slow = refreshWhenLost ? timers.set(slowMs, onSlow) : undefined;
    try {
      const response = await this.#link(url).send(api, request, { ...options, timeoutMs });
      this.#failedAtMs.delete(url);
      return response;
    } catch (error) {
      this.#failedAtMs.set(url, clock.monotonicMs());
      this.lastError = error;
      if (refreshWhenLost) this.requestUpdate();
      throw error;
    } finally {
      if (slow !== undefined) timers.clear(slow);
    }
  }

  #link(url: string): NodeLink {
    let link = this.#links.get(url);
    if (link === undefined) {
      link = this.runtime.openLink(url);
      this.#links.set(url, link);
    }
    return link;
  }

  /** Nodes speak the scheme (`ws:` or `wss:`) that the bootstrap list does. */
  #urlOf(host: string, port: number): string {
    const scheme = this.#bootstrap[0]?.startsWith('wss:') ? 'wss' : 'ws';
    return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  }
}
