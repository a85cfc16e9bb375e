/**
 * Finds out where partitions stand: committed offsets at the coordinator, the ends of the log and of its epochs at the
 * leaders. `FetchPositions` decides what the answers mean.
 */

import { ERROR_CODE, errorFor, KafkaError } from '../protocol/errors.ts';
import { ListOffsets } from '../protocol/messages/list-offsets.ts';
import { OffsetFetch, type OffsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import { OffsetForLeaderEpoch } from '../protocol/messages/offset-for-leader-epoch.ts';
import type { Cluster } from './cluster.ts';
import type { ConsumerWatch } from './consumer-stats.ts';
import type { FetchPositions, OffsetAndEpoch, PartitionState } from './fetch-positions.ts';
import { addTo } from './grouping.ts';
import type { PartitionMetadata } from './metadata-cache.ts';
import { retryOrFail } from './position-retry.ts';

/** ListOffsets' special timestamps. */
export const LATEST_TIMESTAMP = -1;
export const EARLIEST_TIMESTAMP = -2;
export const MAX_TIMESTAMP = -3;

const READ_UNCOMMITTED = 0;
const CONSUMER_REPLICA = -1;

export class OffsetResolver {
  readonly #cluster: Cluster;
  readonly #positions: FetchPositions;
  readonly #watch: ConsumerWatch;
  readonly #group: string | undefined;
  readonly #member: () => { readonly memberId: string; readonly epoch: number } | undefined;
  readonly #onChange: () => void;

  constructor(
    cluster: Cluster,
    positions: FetchPositions,
    watch: ConsumerWatch,
    group: string | undefined,
    member: () => { readonly memberId: string; readonly epoch: number } | undefined,
    onChange: () => void,
  ) {
    this.#cluster = cluster;
    this.#positions = positions;
    this.#watch = watch;
    this.#group = group;
    this.#member = member;
    this.#onChange = onChange;
  }

  /** Asks for what is missing; returns when to try again if nothing happens before (monotonic). */
  pump(nowMs: number): number {
    let wakeAtMs = Number.POSITIVE_INFINITY;
    const uncommitted: PartitionState[] = [];
    for (const state of this.#positions.all()) {
      if (state.busy || state.suspended || state.phase === 'fetching' || state.phase === 'failed') continue;
      if (nowMs < state.retryAtMs) wakeAtMs = Math.min(wakeAtMs, state.retryAtMs);
      else if (state.phase === 'committed') uncommitted.push(state);
      else this.#ask(state, this.#askLeader(state));
    }
    if (uncommitted.length > 0) this.#lookUpCommitted(uncommitted);
    return wakeAtMs;
  }

  #lookUpCommitted(states: readonly PartitionState[]): void {
    const fetched =
      this.#group === undefined
        ? Promise.resolve(new Map<string, OffsetAndEpoch>())
        : fetchCommitted(this.#cluster, this.#group, states, this.#member());
    for (const state of states) {
      this.#ask(
        state,
        fetched.then((committed) => {
          const found = committed.get(`${state.topicId}:${state.partition}`);
          return () => this.#positions.onCommitted(state, found ?? { offset: -1, leaderEpoch: -1 });
        }),
      );
    }
  }

  /** Waits for an answer and applies it, unless the position moved elsewhere meanwhile. */
  #ask(state: PartitionState, answer: Promise<() => void>): void {
    const { generation, topic, partition } = state;
    state.busy = true;
    state.askedEpoch = this.#cluster.metadata.partition(topic, partition)?.leaderEpoch ?? -1;
    answer
      .then(
        (apply) => {
          if (state.generation !== generation) return;
          state.busy = false;
          apply();
        },
        (error: Error) => {
          if (state.generation === generation) this.#onFailure(state, error);
        },
      )
      .finally(this.#onChange);
  }

  async #askLeader(state: PartitionState): Promise<() => void> {
    const partition = this.#cluster.metadata.partition(state.topic, state.partition);
    if (partition?.leaderId === undefined) throw new KafkaError('LEADER_NOT_AVAILABLE');
    if (state.phase === 'validating') {
      const endOffset = await this.#epochEnd(state, partition);
      return () => this.#positions.onEpochEnd(state, endOffset, partition.leaderEpoch);
    }
    // The earliest offset tells on which side a position is out of range, too.
    const timestamp = state.phase === 'latest' ? LATEST_TIMESTAMP : EARLIEST_TIMESTAMP;
    const listed = await listOffset(this.#cluster, state.topic, partition, timestamp);
    return () => this.#positions.onListed(state, listed);
  }

  async #epochEnd(
    { topic, partition, fetch }: PartitionState,
    { leaderId = -1, leaderEpoch }: PartitionMetadata,
  ): Promise<number> {
    const response = await this.#cluster.send(leaderId, OffsetForLeaderEpoch, {
      replicaId: CONSUMER_REPLICA,
      topics: [
        {
          topic,
          partitions: [{ partition, currentLeaderEpoch: leaderEpoch, leaderEpoch: fetch.leaderEpoch }],
        },
      ],
    });
    const answer = response.topics[0]?.partitions[0];
    if (answer === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
    if (answer.errorCode !== ERROR_CODE.NONE) throw errorFor(answer.errorCode);
    return answer.endOffset;
  }

  #onFailure(state: PartitionState, error: Error): void {
    retryOrFail(
      this.#cluster,
      this.#positions,
      this.#watch,
      state,
      error,
      'An offset could not be looked up yet',
    );
  }
}

/** The offset at a timestamp (or at an end) of a partition's log, by its leader. */
export async function listOffset(
  cluster: Cluster,
  topic: string,
  { partition, leaderId, leaderEpoch }: PartitionMetadata,
  timestamp: number,
): Promise<OffsetAndEpoch & { readonly timestamp: number }> {
  if (leaderId === undefined) throw new KafkaError('LEADER_NOT_AVAILABLE');
  const response = await cluster.send(leaderId, ListOffsets, {
    replicaId: CONSUMER_REPLICA,
    isolationLevel: READ_UNCOMMITTED,
    topics: [
      {
        name: topic,
        partitions: [{ partitionIndex: partition, currentLeaderEpoch: leaderEpoch, timestamp }],
      },
    ],
  });
  const answer = response.topics[0]?.partitions[0];
  if (answer === undefined) throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION');
  if (answer.errorCode !== ERROR_CODE.NONE) throw errorFor(answer.errorCode);
  return { offset: answer.offset, leaderEpoch: answer.leaderEpoch, timestamp: answer.timestamp };
}

/** A group's committed offsets, by `topicId:partition`; those without one are left out. */
export async function fetchCommitted(
  cluster: Cluster,
  group: string,
  partitions: readonly { readonly topicId: string; readonly partition: number }[] | null,
  member?: { readonly memberId: string; readonly epoch: number },
): Promise<Map<string, OffsetAndEpoch & { readonly metadata: string | null }>> {
  const topics = partitions === null ? null : new Map<string, number[]>();
  for (const { topicId, partition } of partitions ?? []) {
    if (topics !== null) addTo(topics, topicId, partition);
  }
  const response = await cluster.coordinators.send(
    group,
    OffsetFetch,
    {
      groups: [
        {
          groupId: group,
          memberId: member?.memberId ?? null,
          memberEpoch: member?.epoch ?? -1,
          topics: topics && [...topics].map(([topicId, partitionIndexes]) => ({ topicId, partitionIndexes })),
        },
      ],
      requireStable: true,
    },
    errorOfOffsetFetch,
  );
  const errorCode = errorOfOffsetFetch(response);
  if (errorCode !== ERROR_CODE.NONE) throw errorFor(errorCode);
  const committed = new Map<string, OffsetAndEpoch & { readonly metadata: string | null }>();
  for (const topic of response.groups[0]?.topics ?? []) {
    for (const { partitionIndex, committedOffset, committedLeaderEpoch, metadata } of topic.partitions) {
      if (committedOffset < 0) continue;
      committed.set(`${topic.topicId}:${partitionIndex}`, {
        offset: committedOffset,
        leaderEpoch: committedLeaderEpoch,
        metadata,
      });
    }
  }
  return committed;
}

function errorOfOffsetFetch({ groups }: OffsetFetchResponse): number {
  const [group] = groups;
  if (group === undefined) return ERROR_CODE.COORDINATOR_NOT_AVAILABLE;
  if (group.errorCode !== ERROR_CODE.NONE) return group.errorCode;
  for (const { partitions } of group.topics) {
    for (const { errorCode } of partitions) if (errorCode !== ERROR_CODE.NONE) return errorCode;
  }
  return ERROR_CODE.NONE;
}
