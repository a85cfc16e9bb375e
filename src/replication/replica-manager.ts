/**
 * Replication: the data plane of one broker. Begin reading here.
 *
 * - `replica-manager.ts` owns the partitions: takes assignments in, routes produce, fetch and offset requests.
 * - `partition.ts` is one replica: its log and its role, `led-partition.ts` or `followed-partition.ts`, each the shell
 *   around a pure core: `partition-leader.ts` (with `isr-state.ts`) and `partition-follower.ts`; `divergence.ts` is
 *   where two logs part.
 * - `replica-fetcher.ts` follows one leader broker; `fetch-purgatory.ts` serves fetches, also of followers;
 *   `ack-queue.ts` is where produce requests wait; `isr-updater.ts` carries ISR changes to the controller.
 *
 * May import `log/`, `protocol/` and `platform/` (types of the ports). It knows nothing of groups, nor of how metadata
 * is decided or stored: assignments come in as plain objects.
 */

import type { Clock, Logger, Meter, Timer, Timers } from '../platform/ports.ts';
import { ERROR_CODE } from '../protocol/errors.ts';
import type { FetchRequest, FetchResponse } from '../protocol/messages/fetch.ts';
import { FetchPurgatory, type ReserveAnswer } from './fetch-purgatory.ts';
import type { FollowedPartition } from './followed-partition.ts';
import type { PartitionHost } from './host.ts';
import { IsrUpdater } from './isr-updater.ts';
import type { EpochEndOffset, ListedOffset, ProducedPartition } from './led-partition.ts';
import { Partition, produceRefusal } from './partition.ts';
import { ReplicaFetcher } from './replica-fetcher.ts';
import { ReplicationEvents, samplePartitions } from './replication-events.ts';
import {
  type AssignmentDelta,
  DEFAULT_REPLICATION_LIMITS,
  type PartitionAssignment,
  type PartitionId,
  type ReplicaLogDescription,
  type ReplicaLogs,
  type ReplicationLimits,
  type ReplicationPeers,
} from './types.ts';

export interface ReplicaManagerOptions extends ReplicationPeers {
  readonly nodeId: number;
  readonly logs: ReplicaLogs;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly meter?: Meter | undefined;
  readonly crash: (error: Error) => never;
  /** This broker is to lead a partition and cannot; the controller should elect another replica. */
  readonly onCannotLead?: (partition: PartitionId, leaderEpoch: number) => void;
  /** Whether the whole cluster can read of single replicas that are damaged; it can by default. */
  readonly canTellDamage?: () => boolean;
  /** `damaged()` changed: the controller should know soon. */
  readonly onDamageChanged?: () => void;
  readonly limits?: Partial<ReplicationLimits>;
}

export class ReplicaManager {
  readonly #options: ReplicaManagerOptions;
  readonly #limits: ReplicationLimits;
  readonly #partitions = new Map<string, Map<number, Partition>>();
  /** The same as one list, once it was asked for. */
  #all: readonly Partition[] | undefined;
  readonly #fetchers = new Map<number, ReplicaFetcher>();
  readonly #purgatory: FetchPurgatory;
  readonly #isrUpdater: IsrUpdater;
  readonly #host: PartitionHost;
  readonly #events: ReplicationEvents;
  readonly #damaged = new Set<PartitionId>();
  #brokerEpoch = -1;
  #fenced = false;
  #closed = false;
  #tickTimer: Timer | undefined;

  constructor(options: ReplicaManagerOptions) {
    this.#options = options;
    this.#limits = { ...DEFAULT_REPLICATION_LIMITS, ...options.limits };
    const { nodeId, logs, clock, timers, logger, crash, alterPartition } = options;
    const brokerEpoch = () => this.#brokerEpoch;
    const events = new ReplicationEvents(options.meter);
    this.#events = events;
    this.#purgatory = new FetchPurgatory({
      timers,
      limits: this.#limits,
      events,
      find: (topicId, partition) => this.partition(topicId, partition),
    });
    this.#isrUpdater = new IsrUpdater({ nodeId, brokerEpoch, alterPartition, clock, timers, logger });
    this.#host = {
      ...{ nodeId, logs, clock, timers, logger, events, crash, limits: this.#limits },
      isRegistered: () => this.#brokerEpoch >= 0 && !this.#closed,
      isFenced: () => this.#fenced,
      isrChangeDue: (partition) => this.#isrUpdater.enqueue(partition),
      wakeFetches: (fetches) => this.#purgatory.wake(fetches),
      startFollowing: (followed) => this.#fetcher(followed.core.leaderId).add(followed),
      stopFollowing: (followed) => this.#stopFollowing(followed),
      cannotLead: (partition, leaderEpoch) => options.onCannotLead?.(partition, leaderEpoch),
      canTellDamage: () => options.canTellDamage?.() ?? true,
      damageChanged: (partition, isDamaged) => this.#onDamageChanged(partition, isDamaged),
    };
    events.meter.onScrape((sample) => {
      samplePartitions(this.partitions(), sample);
      this.#purgatory.sample(sample);
    });
    this.#scheduleTick();
  }

  get brokerEpoch(): number {
    return this.#brokerEpoch;
  }

  /**
   * The broker is registered under this epoch, and `applyAssignments` has seen metadata up to there. Until the first
   * call no partition takes a role: metadata from before a restart may still name this broker as a leader, in an
   * epoch whose unsynced tail it lost.
   */
  setBrokerEpoch(brokerEpoch: number): void {
    this.#brokerEpoch = brokerEpoch;
    for (const partition of this.partitions()) partition.converge();
  }

  /** Whether the session with the controller lapsed: clients are refused then, as another leader may exist. */
  setFenced(fenced: boolean): void {
    if (this.#fenced === fenced) return;
    this.#fenced = fenced;
    if (fenced) for (const partition of this.partitions()) partition.onFenced();
  }

  get isFenced(): boolean {
    return this.#fenced;
  }

  /** Takes over committed metadata. Resolves when the logs of removed topics are in the trash. */
  async applyAssignments(delta: AssignmentDelta): Promise<void> {
    for (const assignment of delta.changed) this.#assign(assignment);
    await Promise.all(delta.removed.map((removed) => this.#remove(removed)));
  }

  /** The replicas whose copy here is damaged, until they are rebuilt. */
  damaged(): PartitionId[] {
    return Array.from(this.#damaged, ({ topicId, partition }) => ({ topicId, partition }));
  }

  partition(topicId: string, partition: number): Partition | undefined {
    return this.#partitions.get(topicId)?.get(partition);
  }

  /** Every replica of this broker. */
  partitions(): readonly Partition[] {
    this.#all ??= [...this.#partitions.values()].flatMap((ofTopic) => [...ofTopic.values()]);
    return this.#all;
  }

  /** Appends to a partition led here and waits as `acks` asks (0, 1 or -1). Refusals are error codes in the answer. */
  produce(
    topicId: string,
    partition: number,
    records: readonly Uint8Array[],
    acks: number,
    timeoutMs: number,
    requiredLeaderEpoch = -1,
  ): ProducedPartition | Promise<ProducedPartition> {
    const found = this.partition(topicId, partition);
    const produce = (): ProducedPartition | Promise<ProducedPartition> => {
      const led = found?.ledFor(requiredLeaderEpoch, -1);
      if (typeof led !== 'object') return produceRefusal(found, partition, led);
      return led.produce(records, acks, timeoutMs);
    };
    // Whoever waits here goes on in the order of arrival, and before whatever comes later.
    return found?.opening?.then(produce) ?? produce();
  }

  /** Serves a consumer or a follower; waits for `minBytes`, for `maxWaitMs` at most. */
  fetch(request: FetchRequest, reserve?: ReserveAnswer): Promise<FetchResponse> {
    return this.#purgatory.fetch(request, reserve);
  }

  async listOffset(
    topicId: string,
    partition: number,
    timestamp: number,
    currentLeaderEpoch = -1,
  ): Promise<ListedOffset> {
    const led = this.partition(topicId, partition)?.ledFor(currentLeaderEpoch, -1);
    if (typeof led === 'object') return led.listOffset(timestamp);
    const errorCode = ERROR_CODE[led ?? 'NOT_LEADER_OR_FOLLOWER'];
    return { partitionIndex: partition, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 };
  }

  offsetForLeaderEpoch(
    topicId: string,
    partition: number,
    leaderEpoch: number,
    currentLeaderEpoch = -1,
  ): EpochEndOffset {
    const led = this.partition(topicId, partition)?.ledFor(currentLeaderEpoch, -1);
    if (typeof led === 'object') return led.epochEnd(leaderEpoch);
    const errorCode = ERROR_CODE[led ?? 'NOT_LEADER_OR_FOLLOWER'];
    return { errorCode, partition, leaderEpoch: -1, endOffset: -1 };
  }

  /** Every log that this broker holds open, whatever its role. */
  *describeLogs(): IterableIterator<ReplicaLogDescription> {
    for (const { topicId, partition, assignment, log } of this.partitions()) {
      if (log === undefined) continue;
      const { sizeBytes, logStartOffset, logEndOffset, highWatermark } = log;
      const { topicName } = assignment;
      yield { topicId, partition, topicName, sizeBytes, logStartOffset, logEndOffset, highWatermark };
    }
  }

  /** Gives up every role and answers everybody who waits. The logs stay open: they are the caller's. */
  close(): void {
    this.#closed = true;
    if (this.#tickTimer) this.#options.timers.clear(this.#tickTimer);
    for (const partition of this.partitions()) partition.close();
    for (const fetcher of this.#fetchers.values()) fetcher.stop();
    this.#fetchers.clear();
    this.#purgatory.close();
  }

  #assign(assignment: PartitionAssignment): void {
    const { topicId, partition } = assignment;
    const known = this.partition(topicId, partition);
    if (known) {
      known.assign(assignment);
      return;
    }
    if (!assignment.replicas.includes(this.#options.nodeId)) return;
    const ofTopic = this.#partitions.get(topicId) ?? new Map<number, Partition>();
    this.#partitions.set(topicId, ofTopic);
    const created = new Partition(this.#host, assignment);
    ofTopic.set(partition, created);
    this.#all = undefined;
    created.converge();
  }

  #onDamageChanged(partition: PartitionId, isDamaged: boolean): void {
    if (isDamaged === this.#damaged.has(partition)) return;
    if (isDamaged) this.#damaged.add(partition);
    else this.#damaged.delete(partition);
    this.#options.onDamageChanged?.();
  }

  async #remove({ topicId, partition }: PartitionId): Promise<void> {
    const ofTopic = this.#partitions.get(topicId);
    const known = ofTopic?.get(partition);
    ofTopic?.delete(partition);
    this.#all = undefined;
    if (ofTopic?.size === 0) this.#partitions.delete(topicId);
    if (known) await known.remove();
    // A log from before a restart, whose topic was removed while this broker was away.
    else if (this.#options.logs.get(topicId, partition)) await this.#options.logs.remove(topicId, partition);
  }

  #fetcher(leaderId: number): ReplicaFetcher {
    const existing = this.#fetchers.get(leaderId);
    if (existing) return existing;
    const { nodeId, clock, timers, logger, crash, fetchFrom } = this.#options;
    const fetcher = new ReplicaFetcher({
      ...{ leaderId, nodeId, clock, timers, logger, crash, fetchFrom, limits: this.#limits },
      onFailure: () => this.#events.fetchFailures.add(),
      brokerEpoch: () => this.#brokerEpoch,
    });
    this.#fetchers.set(leaderId, fetcher);
    return fetcher;
  }

  #stopFollowing(followed: FollowedPartition): void {
    const { leaderId } = followed.core;
    const fetcher = this.#fetchers.get(leaderId);
    fetcher?.remove(followed);
    if (fetcher?.partitionCount !== 0) return;
    fetcher.stop();
    this.#fetchers.delete(leaderId);
  }

  #scheduleTick(): void {
    this.#tickTimer = this.#options.timers.set(this.#limits.tickIntervalMs, () => {
      const nowMs = this.#options.clock.monotonicMs();
      for (const partition of this.partitions()) partition.tick(nowMs);
      this.#scheduleTick();
    });
  }
}
