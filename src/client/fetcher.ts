/** Keeps fetches under way for a consumer's partitions: per leader, ahead of the application, within a bound of bytes. */

import { hasCodec, loadCodec } from '../protocol/compression.ts';
import { ERROR_CODE, errorFor } from '../protocol/errors.ts';
import { Fetch, type FetchRequest, type FetchResponse } from '../protocol/messages/fetch.ts';
import { compressionsIn } from '../protocol/record-batch.ts';
import type { Cluster } from './cluster.ts';
import type { ConsumerLimits } from './consumer-options.ts';
import type { ConsumerWatch } from './consumer-stats.ts';
import type { FetchPositions, PartitionState } from './fetch-positions.ts';
import { addTo } from './grouping.ts';
import type { PartitionMetadata } from './metadata-cache.ts';
import { retryOrFail } from './position-retry.ts';

/** A partition in a fetch under way, and the generation of its position that was asked for. */
interface Asked {
  readonly state: PartitionState;
  readonly generation: number;
}

type PartitionAnswer = FetchResponse['responses'][number]['partitions'][number];

/** Two, so that a partition that becomes ready during a long poll of the others need not wait for its end. */
const FETCHES_PER_NODE_MAX = 2;
const READ_UNCOMMITTED = 0;
const CONSUMER = { replicaId: -1, replicaEpoch: -1 };

export class Fetcher {
  readonly #cluster: Cluster;
  readonly #positions: FetchPositions;
  readonly #watch: ConsumerWatch;
  readonly #limits: ConsumerLimits;
  readonly #rackId: string;
  /** Something arrived, or failed: look again. */
  readonly #onChange: () => void;
  readonly #underWay = new Map<number, number>();
  #reservedBytes = 0;

  constructor(
    cluster: Cluster,
    positions: FetchPositions,
    watch: ConsumerWatch,
    limits: ConsumerLimits,
    rackId: string | null,
    onChange: () => void,
  ) {
    this.#cluster = cluster;
    this.#positions = positions;
    this.#watch = watch;
    this.#limits = limits;
    this.#rackId = rackId ?? '';
    this.#onChange = onChange;
  }

  /** Starts what can be started; returns when to try again if nothing happens before (monotonic). */
  pump(nowMs: number): number {
    let wakeAtMs = Number.POSITIVE_INFINITY;
    const byLeader = new Map<number, PartitionState[]>();
    for (const state of this.#positions.all()) {
      if (state.phase !== 'fetching' || !this.#wants(state)) continue;
      const partition = this.#cluster.metadata.partition(state.topic, state.partition);
      if (partition?.leaderId === undefined) {
        this.#cluster.requestUpdate();
        continue;
      }
      this.#positions.onLeaderEpoch(state, partition.leaderEpoch);
      if (nowMs < state.retryAtMs) wakeAtMs = Math.min(wakeAtMs, state.retryAtMs);
      else if (state.phase === 'fetching') addTo(byLeader, partition.leaderId, state);
    }
    for (const [nodeId, states] of byLeader) this.#fetchFrom(nodeId, states);
    return wakeAtMs;
  }

  /** Leaders may have moved: what an old one still owes us is asked of the new one. */
  onLeadersChanged(): void {
    for (const state of this.#positions.all()) {
      const partition = this.#cluster.metadata.partition(state.topic, state.partition);
      if (partition?.leaderId === undefined || !state.busy) continue;
      if (partition.leaderEpoch > state.askedEpoch) {
        state.generation++;
        state.busy = false;
      }
    }
  }

  #wants(state: PartitionState): boolean {
    const { maxPartitionFetchBytes } = this.#limits;
    return !state.busy && !state.paused && !state.suspended && state.bufferedBytes < maxPartitionFetchBytes;
  }

  #fetchFrom(nodeId: number, states: PartitionState[]): void {
    const { fetchBytesMax, prefetchBytesMax } = this.#limits;
    const underWay = this.#underWay.get(nodeId) ?? 0;
    const roomBytes = prefetchBytesMax - this.#positions.bufferedBytes - this.#reservedBytes;
    if (underWay >= FETCHES_PER_NODE_MAX || roomBytes <= 0) return;
    const maxBytes = Math.min(fetchBytesMax, roomBytes);
    // The one served longest ago comes first: a broker fills its answer in the order of the request.
    states.sort((a, b) => a.fetchedAt - b.fetchedAt);
    const asked = states.map((state) => ({ state, generation: state.generation }));
    for (const { state } of asked) {
      state.busy = true;
      state.askedEpoch = this.#cluster.metadata.partition(state.topic, state.partition)?.leaderEpoch ?? -1;
    }
    this.#underWay.set(nodeId, underWay + 1);
    this.#reservedBytes += maxBytes;
    void this.#fetch(nodeId, asked, this.#requestOf(states, maxBytes)).finally(() => {
      this.#reservedBytes -= maxBytes;
      this.#underWay.set(nodeId, (this.#underWay.get(nodeId) ?? 1) - 1);
      this.#onChange();
    });
  }

  async #fetch(nodeId: number, asked: readonly Asked[], request: FetchRequest): Promise<void> {
    const { fetchWaitMs, requestTimeoutMs } = this.#limits;
    const { clock } = this.#cluster.runtime;
    const { stats } = this.#watch;
    const sentAtMs = clock.monotonicMs();
    stats.fetches++;
    stats.fetchesInFlight++;
    try {
      const response = await this.#cluster.send(nodeId, Fetch, request, {
        timeoutMs: requestTimeoutMs + fetchWaitMs,
        slowMs: this.#cluster.limits.slowRequestMs + fetchWaitMs,
      });
      stats.fetchLatencyMs.observe(clock.monotonicMs() - sentAtMs);
      if (response.errorCode !== ERROR_CODE.NONE) throw errorFor(response.errorCode);
      const answers = new Map<string, PartitionAnswer>();
      for (const { topicId, partitions } of response.responses) {
        for (const answer of partitions) answers.set(`${topicId}:${answer.partitionIndex}`, answer);
      }
      const missing = missingCodecs([...answers.values()]);
      // One that cannot be loaded is the error of whoever comes to such a batch.
      if (missing.length > 0) await Promise.allSettled(missing.map(loadCodec));
      for (const { state, generation } of asked) {
        if (state.generation !== generation) continue;
        state.busy = false;
        const answer = answers.get(`${state.topicId}:${state.partition}`);
        if (answer !== undefined) this.#onAnswer(state, answer);
      }
    } catch (error) {
      for (const { state, generation } of asked) {
        if (state.generation === generation) this.#onFailure(state, error as Error);
      }
    } finally {
      stats.fetchesInFlight--;
    }
  }

  #onAnswer(state: PartitionState, answer: PartitionAnswer): void {
    const { errorCode, divergingEpoch, currentLeader } = answer;
    if (errorCode === ERROR_CODE.OFFSET_OUT_OF_RANGE) {
      this.#positions.onOutOfRange(state);
      return;
    }
    if (errorCode !== ERROR_CODE.NONE) {
      const { leaderId, leaderEpoch } = currentLeader;
      if (leaderId >= 0) this.#cluster.leaderHint(state.topicId, state.partition, leaderId, leaderEpoch);
      this.#onFailure(state, errorFor(errorCode));
      return;
    }
    if (divergingEpoch.epoch >= 0 && divergingEpoch.endOffset >= 0) {
      this.#positions.onDiverged(state, divergingEpoch.endOffset);
      return;
    }
    for (const { length } of answer.records) this.#watch.stats.bytesFetched += length;
    state.highWatermark = answer.highWatermark;
    this.#positions.onFetched(state, answer.records);
  }

  #onFailure(state: PartitionState, error: Error): void {
    retryOrFail(
      this.#cluster,
      this.#positions,
      this.#watch,
      state,
      error,
      'A fetch failed and is tried again',
    );
  }

  #requestOf(states: readonly PartitionState[], maxBytes: number): FetchRequest {
    const { fetchWaitMs, fetchBytesMin, maxPartitionFetchBytes } = this.#limits;
    const topics = new Map<string, FetchRequest['topics'][number]['partitions']>();
    for (const { topic, topicId, partition, fetch } of states) {
      const metadata = this.#cluster.metadata.partition(topic, partition) as PartitionMetadata;
      addTo(topics, topicId, {
        partition,
        currentLeaderEpoch: metadata.leaderEpoch,
        fetchOffset: fetch.offset,
        lastFetchedEpoch: fetch.leaderEpoch,
        logStartOffset: -1,
        partitionMaxBytes: Math.min(maxPartitionFetchBytes, maxBytes),
      });
    }
    return {
      replicaState: CONSUMER,
      maxWaitMs: fetchWaitMs,
      minBytes: fetchBytesMin,
      maxBytes,
      isolationLevel: READ_UNCOMMITTED,
      topics: [...topics].map(([topicId, partitions]) => ({ topicId, partitions })),
      rackId: this.#rackId,
    };
  }
}

/** The compressions in these answers that cannot be read yet. */
function missingCodecs(answers: readonly PartitionAnswer[]): number[] {
  const missing = new Set<number>();
  for (const { records } of answers) {
    for (const run of records) for (const id of compressionsIn(run)) if (!hasCodec(id)) missing.add(id);
  }
  return [...missing];
}
