/**
 * A partition while this broker leads it: the shell around the leader core. It appends, waits for acknowledgements,
 * serves reads and carries out what the core decided. One object lives for one leader epoch.
 */

import { asError } from '../platform/as-error.ts';
import { ERROR_CODE, type ErrorName, KafkaError } from '../protocol/errors.ts';
import type { FetchRequest } from '../protocol/messages/fetch.ts';
import type { ListOffsetsResponse } from '../protocol/messages/list-offsets.ts';
import type { OffsetForLeaderEpochResponse } from '../protocol/messages/offset-for-leader-epoch.ts';
import type { ProduceResponse } from '../protocol/messages/produce.ts';
import { findDivergence } from './divergence.ts';
import type { PartitionHost } from './host.ts';
import type { ChangingPartition } from './isr-updater.ts';
import type { FetchedPartition } from './partition-follower.ts';
import { PartitionLeader } from './partition-leader.ts';
import type { EpochEnd, FetchedRecords, PartitionAssignment, PartitionId, ReplicaLog } from './types.ts';
import type { PartitionWaiters } from './waiters.ts';

export type ProducedPartition = ProduceResponse['responses'][number]['partitionResponses'][number];
export type FetchEntry = FetchRequest['topics'][number]['partitions'][number];
export type ListedOffset = ListOffsetsResponse['topics'][number]['partitions'][number];
export type EpochEndOffset = OffsetForLeaderEpochResponse['topics'][number]['partitions'][number];

/** Who fetches; a consumer has the id -1. */
export interface Fetcher {
  readonly replicaId: number;
  readonly replicaEpoch: number;
}

/** The partition as its roles see it. */
export interface PartitionOwner extends PartitionId {
  readonly assignment: PartitionAssignment;
  readonly waiters: PartitionWaiters;
  /** Whom to turn to instead, as far as this broker knows. */
  currentLeader(): CurrentLeader;
}

export type CurrentLeader = FetchedPartition['currentLeader'];

const NO_LEADER = { leaderId: -1, leaderEpoch: -1 } as const;
const NO_DIVERGENCE = { epoch: -1, endOffset: -1 } as const;
const NO_RECORDS: readonly Uint8Array[] = [];

const LATEST_TIMESTAMP = -1;
const EARLIEST_TIMESTAMP = -2;
/** KIP-734: of the record with the largest timestamp. */
const MAX_TIMESTAMP = -3;
/** KIP-405: the earliest offset that is not in tiered storage alone. */
const EARLIEST_LOCAL_TIMESTAMP = -4;
/** KIP-1005: the last offset in tiered storage; KIP-1023: the first that is not there yet. No log is tiered: unknown. */
const NEVER_TIERED: ReadonlySet<number> = new Set([-5, -6]);

export class LedPartition implements ChangingPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly core: PartitionLeader;
  readonly #host: PartitionHost;
  readonly #owner: PartitionOwner;
  readonly #log: ReplicaLog;
  readonly #waiters: PartitionWaiters;
  #isOver = false;

  constructor(host: PartitionHost, owner: PartitionOwner, log: ReplicaLog) {
    this.topicId = owner.topicId;
    this.partition = owner.partition;
    this.#host = host;
    this.#owner = owner;
    this.#log = log;
    this.#waiters = owner.waiters;
    this.core = new PartitionLeader(
      host.nodeId,
      owner.assignment,
      log,
      host.limits,
      host.clock.monotonicMs(),
    );
  }

  /** Carries out what the core decided in its last step. */
  afterStep(): void {
    const { core } = this;
    // The answer to an ISR change may come after the role ended; the log is another role's by then.
    if (this.#isOver) return;
    if (core.highWatermark > this.#log.highWatermark) {
      this.#log.setHighWatermark(core.highWatermark);
      this.#host.wakeFetches(this.#waiters.consumerFetches);
    }
    this.#waiters.commits.reach(core.acknowledgedOffset);
    if (core.hasDueProposal(this.#host.clock.monotonicMs())) this.#host.isrChangeDue(this);
  }

  /** The leader epoch is over: nothing that comes late moves the log any more. */
  end(): void {
    this.#isOver = true;
  }

  /** Metadata of the same leader epoch. */
  update(assignment: PartitionAssignment): void {
    this.core.update(assignment, this.#host.clock.monotonicMs());
    this.afterStep();
  }

  onSynced(): void {
    this.#waiters.writes.reach(this.#log.syncedOffset);
    if (this.core.onSynced(this.#host.clock.monotonicMs())) this.afterStep();
  }

  tick(nowMs: number): void {
    this.core.tick(nowMs);
    this.afterStep();
  }

  /** Appends and waits as `acks` asks. Never rejects: a refusal is an error code in the answer. */
  produce(
    records: readonly Uint8Array[],
    acks: number,
    timeoutMs: number,
  ): ProducedPartition | Promise<ProducedPartition> {
    const { core } = this;
    const { limits, clock } = this.#host;
    if (acks === -1 && !core.hasEnoughReplicas) return this.#refuse('NOT_ENOUGH_REPLICAS');
    if (this.#waiters.produceCount >= limits.pendingProducesMax) {
      return this.#refuse('THROTTLING_QUOTA_EXCEEDED', 'too many produce requests wait for this partition');
    }
    const nowWallMs = clock.wallMs();
    let baseOffset = -1;
    let endOffset = -1;
    try {
      for (const run of records) {
        const appended = this.#log.appendAsLeader(run, core.leaderEpoch, nowWallMs);
        if (baseOffset < 0) baseOffset = appended.baseOffset;
        endOffset = appended.lastOffset + 1;
      }
    } catch (error) {
      if (error instanceof KafkaError) return this.#refuse(error.code, error.message);
      return this.#host.crash(asError(error));
    }
    this.#host.wakeFetches(this.#waiters.followerFetches);
    const isAppendTime = this.#log.config.timestampType === 'LogAppendTime';
    const produced = this.#answer('NONE', null, baseOffset, isAppendTime ? nowWallMs : -1);
    if (acks === 0) return produced;
    return this.#acknowledge(produced, endOffset, acks, Math.min(timeoutMs, limits.produceTimeoutMsMax));
  }

  /**
   * A fetch arrived: checks that the fetcher's log is a prefix of this one, and notes how far a follower is. The answer,
   * if it is known already: an error or the divergence.
   */
  admitFetch(entry: FetchEntry, fetcher: Fetcher): FetchedPartition | undefined {
    const { core } = this;
    const isFollower = fetcher.replicaId >= 0;
    // A follower that does not say in which epoch it follows proves nothing in this one.
    if (isFollower && entry.currentLeaderEpoch !== core.leaderEpoch)
      return this.fetchError('UNKNOWN_LEADER_EPOCH');
    const diverging = findDivergence(this.#log, entry.fetchOffset, entry.lastFetchedEpoch);
    if (diverging) return this.#fetched(ERROR_CODE.NONE, NO_RECORDS, diverging);
    const { logStartOffset, logEndOffset } = this.#log;
    if (entry.fetchOffset < logStartOffset || entry.fetchOffset > logEndOffset) {
      return this.fetchError('OFFSET_OUT_OF_RANGE');
    }
    if (!isFollower) return undefined;
    const follower = {
      brokerId: fetcher.replicaId,
      brokerEpoch: fetcher.replicaEpoch,
      fetchOffset: entry.fetchOffset,
    };
    const result = core.onFollowerFetch(follower, this.#host.clock.monotonicMs());
    if (result === 'notAReplica') return this.fetchError('NOT_LEADER_OR_FOLLOWER');
    if (result === 'staleBrokerEpoch') return this.fetchError('STALE_BROKER_EPOCH');
    this.afterStep();
    return undefined;
  }

  /** What there is to read for an admitted fetch. Synchronous when it is still in memory. */
  read(
    entry: FetchEntry,
    isFollower: boolean,
    bytesMax: number,
  ): FetchedPartition | Promise<FetchedPartition> {
    // Followers may have what is not committed yet; consumers never.
    const endOffset = isFollower ? this.#log.logEndOffset : this.#log.highWatermark;
    if (entry.fetchOffset >= endOffset || bytesMax <= 0) return this.#fetched(ERROR_CODE.NONE, NO_RECORDS);
    try {
      const read = this.#log.read(entry.fetchOffset, bytesMax, endOffset);
      if (!(read instanceof Promise)) return this.#fetched(ERROR_CODE.NONE, read.records);
      return read.then(
        ({ records }: FetchedRecords) => this.#fetched(ERROR_CODE.NONE, records),
        (error: unknown) => this.#readFailed(error),
      );
    } catch (error) {
      return this.#readFailed(error);
    }
  }

  fetchError(code: ErrorName): FetchedPartition {
    return this.#fetched(ERROR_CODE[code], NO_RECORDS);
  }

  async listOffset(timestamp: number): Promise<ListedOffset> {
    const log = this.#log;
    if (timestamp === EARLIEST_TIMESTAMP || timestamp === EARLIEST_LOCAL_TIMESTAMP)
      return this.#listed('NONE', log.logStartOffset, -1, log.epochAt(log.logStartOffset));
    if (timestamp === LATEST_TIMESTAMP) {
      // KIP-207: answering now could go back behind what the leader before answered.
      if (!this.core.isHighWatermarkCurrent) return this.#listed('OFFSET_NOT_AVAILABLE', -1, -1, -1);
      return this.#listed('NONE', log.highWatermark, -1, this.core.leaderEpoch);
    }
    if (NEVER_TIERED.has(timestamp)) return this.#listed('NONE', -1, -1, -1);
    if (timestamp < 0 && timestamp !== MAX_TIMESTAMP) return this.#listed('INVALID_REQUEST', -1, -1, -1);
    const found = await (timestamp === MAX_TIMESTAMP
      ? log.offsetOfLargestTimestamp(log.highWatermark)
      : log.offsetForTimestamp(timestamp));
    if (this.#isOver) return this.#listed('NOT_LEADER_OR_FOLLOWER', -1, -1, -1);
    if (found && found.offset < log.highWatermark) {
      return this.#listed('NONE', found.offset, found.timestamp, found.leaderEpoch);
    }
    if (!this.core.isHighWatermarkCurrent) return this.#listed('OFFSET_NOT_AVAILABLE', -1, -1, -1);
    return this.#listed('NONE', -1, -1, -1);
  }

  epochEnd(leaderEpoch: number): EpochEndOffset {
    const { epoch, endOffset } = this.#log.endOffsetForEpoch(leaderEpoch);
    return { errorCode: ERROR_CODE.NONE, partition: this.partition, leaderEpoch: epoch, endOffset };
  }

  #acknowledge(
    produced: ProducedPartition,
    endOffset: number,
    acks: number,
    timeoutMs: number,
  ): ProducedPartition | Promise<ProducedPartition> {
    const isAll = acks === -1;
    // A duplicate of something that was committed long ago has nothing to wait for.
    const reached = isAll ? this.core.acknowledgedOffset : this.#log.syncedOffset;
    if (reached >= endOffset) return produced;
    const { events } = this.#host;
    const startedAt = events.meter.now();
    return (isAll ? this.#waiters.commits : this.#waiters.writes)
      .wait(endOffset, timeoutMs)
      .then((outcome) => {
        events.produceWait.observe(events.meter.now() - startedAt);
        if (outcome === 'reached') return produced;
        if (outcome === 'abandoned') return this.#refuse('NOT_LEADER_OR_FOLLOWER');
        const tooFew = isAll && !this.core.hasEnoughReplicas;
        return this.#refuse(tooFew ? 'NOT_ENOUGH_REPLICAS_AFTER_APPEND' : 'REQUEST_TIMED_OUT');
      });
  }

  #refuse(code: ErrorName, message: string | null = null): ProducedPartition {
    return this.#answer(code, message, -1, -1);
  }

  #answer(
    code: ErrorName,
    errorMessage: string | null,
    baseOffset: number,
    timeMs: number,
  ): ProducedPartition {
    return {
      index: this.partition,
      errorCode: ERROR_CODE[code],
      baseOffset,
      logAppendTimeMs: timeMs,
      logStartOffset: this.#log.logStartOffset,
      errorMessage,
      currentLeader: code === 'NONE' ? NO_LEADER : this.#owner.currentLeader(),
    };
  }

  #fetched(
    errorCode: number,
    records: readonly Uint8Array[],
    divergingEpoch: EpochEnd = NO_DIVERGENCE,
  ): FetchedPartition {
    return {
      partitionIndex: this.partition,
      errorCode,
      highWatermark: this.#log.highWatermark,
      // No transactions yet: everything committed is stable.
      lastStableOffset: this.#log.highWatermark,
      logStartOffset: this.#log.logStartOffset,
      divergingEpoch,
      currentLeader: NO_LEADER,
      preferredReadReplica: -1,
      records,
    };
  }

  #readFailed(error: unknown): FetchedPartition {
    if (error instanceof KafkaError) return this.fetchError(error.code);
    return this.#host.crash(asError(error));
  }

  #listed(code: ErrorName, offset: number, timestamp: number, leaderEpoch: number): ListedOffset {
    return {
      partitionIndex: this.partition,
      errorCode: ERROR_CODE[code],
      timestamp,
      offset,
      leaderEpoch,
    };
  }
}
