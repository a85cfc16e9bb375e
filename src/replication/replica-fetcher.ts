/**
 * Follows one leader broker: one Fetch request in flight for all partitions followed from it. What an answer brought is
 * appended and synced before the next request, so that the offset it asks from proves to the leader what is durable
 * here; meanwhile more records gather at the leader, and the next answer is the larger.
 */

import { asError } from '../platform/as-error.ts';
import type { Clock, Logger, Timer, Timers } from '../platform/ports.ts';
import { errorDefinition } from '../protocol/errors.ts';
import type { FetchRequest, FetchResponse } from '../protocol/messages/fetch.ts';
import type { FollowedPartition } from './followed-partition.ts';
import type { FetchPosition } from './partition-follower.ts';
import type { ReplicationLimits } from './types.ts';

export interface ReplicaFetcherOptions {
  readonly leaderId: number;
  readonly nodeId: number;
  readonly brokerEpoch: () => number;
  readonly fetchFrom: (brokerId: number, request: FetchRequest) => Promise<FetchResponse>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly limits: ReplicationLimits;
  readonly crash: (error: Error) => never;
  /** It backs off. */
  readonly onFailure: () => void;
}

/** What was asked for one partition, and for which role. */
interface Asked {
  readonly followed: FollowedPartition;
  readonly position: FetchPosition;
}

type Topic = FetchRequest['topics'][number];

export class ReplicaFetcher {
  readonly #options: ReplicaFetcherOptions;
  readonly #followed: FollowedPartition[] = [];
  /** `asking`: a request is at the leader. `applying`: its answer is being appended and synced. */
  #state: 'idle' | 'asking' | 'applying' | 'stopped' = 'idle';
  /** Raised to give up on the request that is out: its answer is ignored. */
  #round = 0;
  /** Rotates, so that the size limit of an answer starves nobody. */
  #firstIndex = 0;
  #failures = 0;
  #timer: Timer | undefined;
  #kicked = false;

  constructor(options: ReplicaFetcherOptions) {
    this.#options = options;
  }

  get partitionCount(): number {
    return this.#followed.length;
  }

  /** Follows one more partition, at once: a request that waits at the leader without it is given up. */
  add(followed: FollowedPartition): void {
    this.#followed.push(followed);
    if (this.#kicked) return;
    this.#kicked = true;
    this.#options.timers.soon(() => {
      this.#kicked = false;
      if (this.#state === 'asking' || this.#state === 'idle') this.#ask();
    });
  }

  remove(followed: FollowedPartition): void {
    const index = this.#followed.indexOf(followed);
    if (index >= 0) this.#followed.splice(index, 1);
  }

  stop(): void {
    this.#state = 'stopped';
    this.#round++;
    this.#clearTimer();
  }

  #ask(): void {
    this.#clearTimer();
    const { clock, crash } = this.#options;
    const round = ++this.#round;
    const asked = new Map<string, Map<number, Asked>>();
    const request = this.#request(asked, clock.monotonicMs());
    if (request.topics.length === 0) {
      this.#state = 'idle';
      this.#askLater(this.#earliestRetryMs() - clock.monotonicMs());
      return;
    }
    this.#state = 'asking';
    this.#exchange(round, request, asked).catch((error: unknown) => crash(asError(error)));
  }

  async #exchange(
    round: number,
    request: FetchRequest,
    asked: ReadonlyMap<string, ReadonlyMap<number, Asked>>,
  ): Promise<void> {
    const { leaderId, fetchFrom, clock } = this.#options;
    const startMs = clock.monotonicMs();
    let response: FetchResponse;
    try {
      response = await fetchFrom(leaderId, request);
    } catch (error) {
      if (round === this.#round) this.#backOff(error);
      return;
    }
    if (round !== this.#round) return;
    if (response.errorCode !== 0) {
      this.#backOff(errorDefinition(response.errorCode).name);
      return;
    }
    this.#failures = 0;
    this.#state = 'applying';
    const progressed = await this.#apply(response, asked);
    if (round !== this.#round) return;
    this.#state = 'idle';
    // An answer that brought nothing comes after a wait; a leader that does not wait must not keep both busy.
    const isTooEarly = !progressed && clock.monotonicMs() - startMs < this.#options.limits.fetchWaitMsMax / 2;
    if (isTooEarly) this.#askLater(this.#options.limits.fetchBackoffMsMin);
    else this.#ask();
  }

  async #apply(
    response: FetchResponse,
    asked: ReadonlyMap<string, ReadonlyMap<number, Asked>>,
  ): Promise<boolean> {
    let progressed = false;
    const pending: Promise<void>[] = [];
    const touched: FollowedPartition[] = [];
    for (const { topicId, partitions } of response.responses) {
      const ofTopic = asked.get(topicId);
      for (const answer of partitions) {
        const question = ofTopic?.get(answer.partitionIndex);
        if (!question) continue;
        const applied = question.followed.apply(question.position, answer);
        if (applied.progressed) {
          progressed = true;
          touched.push(question.followed);
        }
        if (applied.done) pending.push(applied.done);
      }
    }
    if (pending.length > 0) await Promise.all(pending);
    for (const followed of touched) await followed.synced();
    return progressed;
  }

  #request(asked: Map<string, Map<number, Asked>>, nowMs: number): FetchRequest {
    const { nodeId, brokerEpoch, limits } = this.#options;
    const topics = new Map<string, Topic>();
    const count = this.#followed.length;
    this.#firstIndex = count > 0 ? (this.#firstIndex + 1) % count : 0;
    for (let i = 0; i < count; i++) {
      const followed = this.#followed[(this.#firstIndex + i) % count];
      if (!followed || followed.retryAtMs > nowMs) continue;
      const position = followed.position();
      let topic = topics.get(followed.topicId);
      let ofTopic = asked.get(followed.topicId);
      if (!topic || !ofTopic) {
        topic = { topicId: followed.topicId, partitions: [] };
        ofTopic = new Map();
        topics.set(followed.topicId, topic);
        asked.set(followed.topicId, ofTopic);
      }
      topic.partitions.push({
        partition: followed.partition,
        currentLeaderEpoch: position.currentLeaderEpoch,
        fetchOffset: position.fetchOffset,
        lastFetchedEpoch: position.lastFetchedEpoch,
        logStartOffset: followed.logStartOffset,
        partitionMaxBytes: limits.fetchPartitionBytesMax,
      });
      ofTopic.set(followed.partition, { followed, position });
    }
    const untilRetryMs = Math.ceil(this.#earliestRetryMs(nowMs) - nowMs);
    return {
      replicaState: { replicaId: nodeId, replicaEpoch: brokerEpoch() },
      // Partitions that back off are asked for again in time, though the others have nothing new.
      maxWaitMs: Math.max(0, Math.min(limits.fetchWaitMsMax, untilRetryMs)),
      minBytes: 1,
      maxBytes: limits.fetchBytesMax,
      isolationLevel: 0,
      topics: [...topics.values()],
      rackId: '',
    };
  }

  /** When the first of the partitions that back off at `afterMs` is due; infinity when none does. */
  #earliestRetryMs(afterMs = Number.NEGATIVE_INFINITY): number {
    let earliestMs = Number.POSITIVE_INFINITY;
    for (const { retryAtMs } of this.#followed) {
      if (retryAtMs > afterMs && retryAtMs < earliestMs) earliestMs = retryAtMs;
    }
    return earliestMs;
  }

  #backOff(error: unknown): void {
    const { leaderId, limits, logger } = this.#options;
    const delayMs = Math.min(
      limits.fetchBackoffMsMax,
      limits.fetchBackoffMsMin * 2 ** Math.min(this.#failures, 10),
    );
    this.#failures++;
    this.#options.onFailure();
    this.#state = 'idle';
    logger.info(
      { leaderId, error, delayMs, partitions: this.#followed.length },
      'Could not fetch from a leader',
    );
    this.#askLater(delayMs);
  }

  #askLater(delayMs: number): void {
    this.#clearTimer();
    if (!Number.isFinite(delayMs)) return;
    this.#timer = this.#options.timers.set(Math.max(0, delayMs), () => {
      this.#timer = undefined;
      this.#ask();
    });
  }

  #clearTimer(): void {
    if (this.#timer) this.#options.timers.clear(this.#timer);
    this.#timer = undefined;
  }
}
