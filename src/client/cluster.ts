/**
 * The client's view of the cluster: bootstraps from any node, keeps metadata fresh, and sends to a node, to any node, or
 * to a group's coordinator. A dead node never blocks: what any node can answer is asked of the next one after a moment.
 */

import { asError } from '../platform/as-error.ts';
import type { Timer } from '../platform/ports.ts';
import { ERROR_CODE, errorFor, KafkaError } from '../protocol/errors.ts';
import { Metadata, type MetadataRequest } from '../protocol/messages/metadata.ts';
import type { Api } from '../protocol/schema.ts';
import { ZERO_UUID } from '../protocol/uuid.ts';
import { abortable } from './aborting.ts';
import { backoffMs } from './backoff.ts';
import type { ClientEvents } from './client-events.ts';
import { ClientStats } from './client-stats.ts';
import { Coordinators } from './coordinators.ts';
import { Emitter } from './emitter.ts';
import { ClientError, closedError, isRetriable } from './errors.ts';
import { MetadataCache, type TopicMetadata } from './metadata-cache.ts';
import { NodeLinks } from './node-links.ts';
import { Alarm, abortedError, type ClientRuntime, delay, type SendOptions } from './rpc.ts';

export type ClusterLimits = {
  /** How long one request may go unanswered, in milliseconds. Default 15,000. */
  readonly requestTimeoutMs: number;
  /** The pause before the first retry, in milliseconds; it doubles each time. Default 50. */
  readonly retryBackoffMs: number;
  /** The longest pause between retries, in milliseconds. Default 1,000. */
  readonly retryBackoffMaxMs: number;
  /** Metadata is refreshed at least this often, in milliseconds, to learn of new partitions. Default 300,000. */
  readonly metadataMaxAgeMs: number;
  /** A question that any node can answer goes to one more node when there is no answer after this long, in ms. Default 250. */
  readonly hedgeMs: number;
  /** A request without an answer for this long makes the client look whether the leader has moved, in ms. Default 1,000. */
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

export class Cluster {
  readonly metadata = new MetadataCache();
  readonly events: Emitter<ClientEvents>;
  readonly stats = new ClientStats();
  readonly limits: ClusterLimits;
  readonly runtime: ClientRuntime;
  readonly coordinators = new Coordinators(this);
  readonly #links: NodeLinks;
  readonly #interest = new Set<string>();
  readonly #interestIds = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #alarm: Alarm;
  #isRefreshing = false;
  #lastRefreshMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #closed = false;

  constructor(bootstrap: readonly string[], limits: ClusterLimits, runtime: ClientRuntime) {
    if (bootstrap.length === 0)
      throw new ClientError('INVALID_CONFIG', 'bootstrap: give the address of a node');
    this.limits = limits;
    this.runtime = runtime;
    this.events = new Emitter(runtime.logger);
    this.#links = new NodeLinks(bootstrap, runtime, this.events, this.stats);
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

  /** Asks for a topic that is known by its id alone, again with each call: a node that has just started may not know it. */
  addInterestById(topicId: string): void {
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
      this.stats.metadataRefreshes++;
      isFresh = true;
    } catch (error) {
      this.#failures++;
      if (!this.#closed) this.noteRetry('metadata', error, this.#failures);
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
    for (const move of this.metadata.takeMoves()) {
      this.stats.leadersMoved++;
      this.events.emit('leaderMoved', move);
    }
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
  async #nextUpdate(deadlineMs: number): Promise<void> {
    const { clock, timers } = this.runtime;
    if (this.#closed) throw closedError('client');
    await new Promise<void>((resolve, reject) => {
      const finish = (settle: () => void) => {
        timers.clear(timer);
        stop();
        settle();
      };
      const timer = timers.set(Math.max(0, deadlineMs - clock.monotonicMs()), () =>
        finish(() =>
          reject(
            new ClientError('TIMED_OUT', 'no metadata arrived in time', {
              retriable: true,
              cause: this.#links.lastError,
            }),
          ),
        ),
      );
      const stop = this.onUpdate(() =>
        finish(() => (this.#closed ? reject(closedError('client')) : resolve())),
      );
      this.requestUpdate();
    });
  }

  /** A topic's metadata, asked for as often as it takes until the deadline (a topic just created is soon known). */
  async topic(name: string, deadlineMs: number): Promise<TopicMetadata> {
    this.addInterest(name);
    for (;;) {
      const topic = this.metadata.topic(name);
      if (topic !== undefined) return topic;
      const errorCode = this.metadata.topicError(name);
      if (errorCode !== ERROR_CODE.NONE && !errorFor(errorCode).retriable) throw errorFor(errorCode);
      try {
        await this.#nextUpdate(deadlineMs);
      } catch (error) {
        if (errorCode !== ERROR_CODE.NONE)
          throw errorFor(errorCode, `topic ${JSON.stringify(name)} is unknown`);
        throw error;
      }
    }
  }

  /** As `topic`, and waits for the partition too: one that was just added is soon known. */
  topicWithPartition(name: string, partition: number, deadlineMs: number): Promise<TopicMetadata> {
    return this.retry(deadlineMs, async (attempt) => {
      if (attempt > 0) await this.#nextUpdate(deadlineMs);
      const topic = await this.topic(name, deadlineMs);
      if (topic.partitions[partition] !== undefined) return topic;
      const message = `${name} has ${topic.partitions.length} partitions, so there is no partition ${partition}`;
      throw new ClientError('INVALID_RECORD', message, { retriable: true });
    });
  }

  /** Something will be tried again. */
  noteRetry(
    what: ClientEvents['retry']['what'],
    error: unknown,
    attempts: number,
    at: { readonly topic?: string; readonly partition?: number } = {},
    events: Emitter<ClientEvents> = this.events,
  ): void {
    this.stats.retries++;
    const { topic, partition } = at;
    events.emit('retry', {
      what,
      error: asError(error),
      attempts,
      ...(topic !== undefined && { topic }),
      ...(partition !== undefined && { partition }),
    });
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
    return this.#sendTo(this.#links.urlOf(address), api, request, options);
  }

  /**
   * Asks nodes, one after the other and overlapping, until one answers. Only for questions that may be asked twice.
   * Rejects with the last error when all have failed.
   */
  askAny<Request, Response>(api: Api<Request, Response>, request: Request): Promise<Response> {
    const candidates = this.#links.candidates(this.metadata.brokers);
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
        this.#links.send(url, api, request, { timeoutMs: this.limits.requestTimeoutMs }).then(
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
    const candidates = this.#links.candidates(this.metadata.brokers);
    const url = candidates[attempt % candidates.length] as string;
    return this.#sendTo(url, api, request, {});
  }

  /** Repeats `attempt` while it fails retriably, with backoff, until the deadline (monotonic). */
  retry<T>(
    deadlineMs: number,
    attempt: (number: number) => Promise<T>,
    signal?: AbortSignal | undefined,
  ): Promise<T> {
    return abortable(this.#retry(deadlineMs, attempt, signal), signal);
  }

  async #retry<T>(
    deadlineMs: number,
    attempt: (number: number) => Promise<T>,
    signal: AbortSignal | undefined,
  ): Promise<T> {
    const { clock, timers, random } = this.runtime;
    for (let number = 0; ; number++) {
      if (this.#closed) throw closedError('client');
      if (signal?.aborted) throw abortedError(signal);
      try {
        return await attempt(number);
      } catch (error) {
        const pauseMs = backoffMs(this.limits, number + 1, random);
        if (!isRetriable(error) || clock.monotonicMs() + pauseMs >= deadlineMs) throw error;
        this.noteRetry('call', error, number + 1);
        await delay(timers, pauseMs);
      }
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#alarm.clear();
    this.#links.close();
    this.#notify();
    this.#listeners.clear();
  }

  #sendTo<Request, Response>(
    url: string,
    api: Api<Request, Response>,
    request: Request,
    options: Partial<SendOptions> & { readonly slowMs?: number },
  ): Promise<Response> {
    const { requestTimeoutMs, slowRequestMs } = this.limits;
    const { slowMs = slowRequestMs, ...sendOptions } = options;
    const watch = { slowMs, onTrouble: () => this.requestUpdate() };
    return this.#links.send(url, api, request, { timeoutMs: requestTimeoutMs, ...sendOptions }, watch);
  }
}
