/** What the administrator's client takes and returns. */

import type { KafkaError } from '../protocol/errors.ts';
import type { TopicPartition } from './consumer-options.ts';

export interface AdminOptions {
  /** How long an operation is tried before it fails. */
  readonly timeoutMs?: number;
  /** Ends operations with `ABORTED` when it fires. */
  readonly signal?: AbortSignal | undefined;
}

export interface NewTopic {
  readonly name: string;
  /** The cluster's default (`num.partitions`) when left out. */
  readonly partitions?: number;
  /** The cluster's default (`default.replication.factor`) when left out. */
  readonly replicationFactor?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

export interface TopicListing {
  readonly name: string;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

export interface PartitionDescription {
  readonly partition: number;
  readonly leader: number | undefined;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
  readonly eligibleLeaderReplicas: readonly number[];
}

export interface TopicDescription {
  readonly name: string;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly partitions: readonly PartitionDescription[];
}

export interface ConfigDescription {
  readonly name: string;
  readonly value: string | null;
  readonly source: 'topic' | 'dynamic-broker' | 'dynamic-default' | 'static-broker' | 'default' | 'unknown';
  readonly readOnly: boolean;
  readonly isSensitive: boolean;
  readonly documentation: string | null;
}

export interface ClusterDescription {
  readonly clusterId: string;
  readonly controllerId: number | undefined;
  readonly brokers: readonly {
    readonly id: number;
    readonly host: string;
    readonly port: number;
    readonly rack: string | null;
    readonly isFenced: boolean;
  }[];
}

export interface GroupListing {
  readonly groupId: string;
  readonly state: string;
  readonly type: string;
}

export interface GroupMemberDescription {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly memberEpoch: number;
  readonly topics: readonly string[];
  readonly assignment: readonly TopicPartition[];
  readonly targetAssignment: readonly TopicPartition[];
}

export interface GroupDescription {
  readonly groupId: string;
  readonly state: string;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  readonly assignor: string;
  readonly members: readonly GroupMemberDescription[];
}

/**
 * An end of the log, the record with the greatest timestamp, or the first record at or after a time (milliseconds
 * since the epoch).
 */
export type OffsetSpec = 'earliest' | 'latest' | 'maxTimestamp' | { readonly timestamp: number };

export interface ListedOffset extends TopicPartition {
  /** -1 when there is no record at or after the time. */
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

/** One folder of logs of one broker. */
export interface LogDirDescription {
  readonly path: string;
  /** Of the volume; undefined when the broker does not tell. */
  readonly totalBytes: number | undefined;
  readonly usableBytes: number | undefined;
  readonly replicas: readonly ReplicaLogSize[];
}

/** A replica's own log: its size, and the offsets from its first record to behind its last. */
interface ReplicaLogSize extends TopicPartition {
  readonly sizeBytes: number;
  readonly startOffset: number;
  readonly endOffset: number;
}

export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

export interface ElectionResult extends TopicPartition {
  readonly error: KafkaError | undefined;
}
