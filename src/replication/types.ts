/** What replication is told (assignments), what it needs (logs, peers, the controller), and its limits. */

import type { LogConfig } from '../log/log-config.ts';
import type { AlterPartitionRequest, AlterPartitionResponse } from '../protocol/messages/alter-partition.ts';
import type { FetchRequest, FetchResponse } from '../protocol/messages/fetch.ts';

/** The committed state of one partition that this broker has, or had, a replica of. */
export interface PartitionAssignment {
  readonly topicId: string;
  readonly topicName: string;
  readonly partition: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** Eligible leader replicas (KIP-966): out of the ISR, yet they may be elected. */
  readonly elr: readonly number[];
  /** -1: nobody leads. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly minInSyncReplicas: number;
  readonly logConfig: LogConfig;
}

export interface PartitionId {
  readonly topicId: string;
  readonly partition: number;
}

/** What changed in the metadata. A replica's log is deleted for `removed` alone: committed removals of topics. */
export interface AssignmentDelta {
  readonly changed: readonly PartitionAssignment[];
  readonly removed: readonly PartitionId[];
}

/** The offsets of a log that the cores decide by. A live view: it is read at the moment of the decision. */
export interface LogView {
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  /** Everything below is durable, in the sense of the topic's `flush`. */
  readonly syncedOffset: number;
  readonly highWatermark: number;
  /** The leader epoch of the last record; -1 when the log is empty. */
  readonly latestEpoch: number;
  /** The largest epoch at or below `epoch` and where it ends (KIP-101, KIP-279); -1, -1 beyond `latestEpoch`. */
  endOffsetForEpoch(epoch: number): EpochEnd;
}

export interface EpochEnd {
  readonly epoch: number;
  readonly endOffset: number;
}

export interface FetchedRecords {
  readonly records: readonly Uint8Array[];
  readonly nextOffset: number;
}

interface TimestampedOffset {
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

/** The part of `log/`'s PartitionLog that replication uses. */
export interface ReplicaLog extends LogView {
  readonly topicId: string;
  readonly partition: number;
  readonly config: LogConfig;
  readonly sizeBytes: number;
  readonly failed: 'corrupt' | undefined;
  /** The last write met a full disk; appends are refused until it went through. */
  readonly isDiskFull: boolean;
  onSynced: (log: never) => void;
  appendAsLeader(
    batch: Uint8Array,
    leaderEpoch: number,
    nowWallMs: number,
  ): { readonly baseOffset: number; readonly lastOffset: number; readonly duplicate: boolean };
  appendAsFollower(records: Uint8Array): { readonly lastOffset: number };
  read(offset: number, bytesMax: number, endOffset: number): FetchedRecords | Promise<FetchedRecords>;
  truncateTo(offset: number): Promise<void>;
  resetTo(offset: number): Promise<void>;
  offsetForTimestamp(timestamp: number): Promise<TimestampedOffset | undefined>;
  offsetOfLargestTimestamp(endOffset: number): Promise<TimestampedOffset | undefined>;
  /** The epoch that wrote `offset`; -1 if unknown. */
  epochAt(offset: number): number;
  setHighWatermark(offset: number): void;
  setConfig(config: LogConfig): void;
  advanceLogStartOffset(offset: number): Promise<void>;
}

/** One replica's log on this broker, for an operator. */
export interface ReplicaLogDescription extends PartitionId {
  readonly topicName: string;
  readonly sizeBytes: number;
  readonly logStartOffset: number;
  readonly logEndOffset: number;
  readonly highWatermark: number;
}

/** The part of `log/`'s LogDirectory that replication uses. */
export interface ReplicaLogs {
  get(topicId: string, partition: number): ReplicaLog | undefined;
  create(topicId: string, partition: number, config: LogConfig): Promise<ReplicaLog>;
  remove(topicId: string, partition: number): Promise<void>;
}

/** The way to the other nodes. Both promises must settle: a request without an answer times out. */
export interface ReplicationPeers {
  alterPartition(request: AlterPartitionRequest): Promise<AlterPartitionResponse>;
  fetchFrom(brokerId: number, request: FetchRequest): Promise<FetchResponse>;
}

export interface ReplicationLimits {
  /** `replica.lag.time.max.ms`: a follower that was not caught up for so long leaves the ISR. */
  readonly replicaLagTimeMaxMs: number;
  /** How long the high watermark waits for a follower that is about to join the ISR to fetch once more. */
  readonly joinWaitMsMax: number;
  /** How often leaders look for lagging followers and for ISR changes to send again. */
  readonly tickIntervalMs: number;
  readonly alterBackoffMsMin: number;
  readonly alterBackoffMsMax: number;
  /** `replica.fetch.wait.max.ms`: how long a follower's fetch may wait at the leader. */
  readonly fetchWaitMsMax: number;
  /** `replica.fetch.response.max.bytes` */
  readonly fetchBytesMax: number;
  /** `replica.fetch.max.bytes` */
  readonly fetchPartitionBytesMax: number;
  readonly fetchBackoffMsMin: number;
  readonly fetchBackoffMsMax: number;
  /** What one fetch request may ask of this broker at most. */
  readonly servedFetchBytesMax: number;
  readonly servedFetchWaitMsMax: number;
  /** Fetches waiting for records; one more is answered at once, with what there is. */
  readonly parkedFetchesMax: number;
  /** Produce requests waiting for replicas, per partition; one more is refused before it is appended. */
  readonly pendingProducesMax: number;
  readonly produceTimeoutMsMax: number;
}

export const DEFAULT_REPLICATION_LIMITS: ReplicationLimits = {
  replicaLagTimeMaxMs: 10_000,
  joinWaitMsMax: 300,
  tickIntervalMs: 100,
  alterBackoffMsMin: 100,
  alterBackoffMsMax: 1_000,
  fetchWaitMsMax: 1_000,
  fetchBytesMax: 8 * 2 ** 20,
  fetchPartitionBytesMax: 2 ** 20,
  fetchBackoffMsMin: 50,
  fetchBackoffMsMax: 1_000,
  servedFetchBytesMax: 32 * 2 ** 20,
  servedFetchWaitMsMax: 60_000,
  parkedFetchesMax: 10_000,
  pendingProducesMax: 10_000,
  produceTimeoutMsMax: 600_000,
};
