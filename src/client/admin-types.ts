/** What the administrator's client takes and returns. */

import type { KafkaError } from '../protocol/errors.ts';
import type { TopicPartition } from './consumer-options.ts';

/** What `client.admin()` and `admin.with()` take. */
export interface AdminOptions {
  /** How long an operation is tried before it fails, in milliseconds. Default 30,000. */
  readonly timeoutMs?: number;
  /** Ends operations with `ABORTED` when it fires. */
  readonly signal?: AbortSignal | undefined;
}

/** A topic to create. */
export interface NewTopic {
  readonly name: string;
  /** The cluster's default (`num.partitions`) when left out. */
  readonly partitions?: number;
  /** The cluster's default (`default.replication.factor`) when left out. */
  readonly replicationFactor?: number;
  /** Configs other than their defaults, by Kafka's names: `{ 'retention.ms': '3600000' }`. */
  readonly configs?: Readonly<Record<string, string>>;
}

/** A topic as `listTopics` tells of it. */
export interface TopicListing {
  readonly name: string;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly partitionCount: number;
  readonly replicationFactor: number;
}

/** A partition and its replicas, all of them ids of brokers. */
export interface PartitionDescription {
  readonly partition: number;
  /** Undefined while there is none: then it takes no writes and serves no reads. */
  readonly leader: number | undefined;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  /** The replicas that are in sync. */
  readonly isr: readonly number[];
  /** Those whose broker is down. */
  readonly offlineReplicas: readonly number[];
  /** Out of sync, and complete all the same: they may be elected without loss (KIP-966). */
  readonly eligibleLeaderReplicas: readonly number[];
}

/** A topic with its partitions, in their order. */
export interface TopicDescription {
  readonly name: string;
  readonly topicId: string;
  readonly isInternal: boolean;
  readonly partitions: readonly PartitionDescription[];
}

/** A config, its value, and where that comes from. */
export interface ConfigDescription {
  readonly name: string;
  /** Null where it is sensitive. */
  readonly value: string | null;
  readonly source: 'topic' | 'dynamic-broker' | 'dynamic-default' | 'static-broker' | 'default' | 'unknown';
  readonly readOnly: boolean;
  readonly isSensitive: boolean;
  readonly documentation: string | null;
}

/** The cluster as one of its brokers knows it. */
export interface ClusterDescription {
  readonly clusterId: string;
  /** The active controller; undefined while one is being elected. */
  readonly controllerId: number | undefined;
  readonly brokers: readonly {
    readonly id: number;
    readonly host: string;
    readonly port: number;
    readonly rack: string | null;
    readonly isFenced: boolean;
  }[];
}

/** A group as `listGroups` tells of it. */
export interface GroupListing {
  readonly groupId: string;
  readonly state: string;
  readonly type: string;
}

/** A member of a group, what it has and what it is to have. */
export interface GroupMemberDescription {
  readonly memberId: string;
  /** Its `groupInstanceId`; null without one. */
  readonly instanceId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly memberEpoch: number;
  /** What it subscribed to. */
  readonly topics: readonly string[];
  readonly assignment: readonly TopicPartition[];
  /** What the coordinator wants it to have; a difference means that a rebalance is under way. */
  readonly targetAssignment: readonly TopicPartition[];
}

/** A group and its members. */
export interface GroupDescription {
  readonly groupId: string;
  readonly state: string;
  /** Raised by each change of members or subscriptions. */
  readonly groupEpoch: number;
  /** The group's epoch for which partitions were assigned last. */
  readonly assignmentEpoch: number;
  readonly assignor: string;
  readonly members: readonly GroupMemberDescription[];
}

/**
 * An end of the log, the record with the greatest timestamp, or the first record at or after a time (milliseconds
 * since the epoch).
 */
export type OffsetSpec = 'earliest' | 'latest' | 'maxTimestamp' | { readonly timestamp: number };

/** What `listOffsets` found. */
export interface ListedOffset extends TopicPartition {
  /** -1 when there is no record at or after the time. */
  readonly offset: number;
  /** Of the record that was found, in milliseconds since the epoch; -1 where an end of the log was asked for. */
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

/** An offset that a group committed: that of the next record to read. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

/** What became of the election in one partition; undefined: a leader was elected. */
export interface ElectionResult extends TopicPartition {
  readonly error: KafkaError | undefined;
}

/** A voter: a node on one particular disk. */
export interface VoterKey {
  readonly id: number;
  /** The node's present directory unless given; needed where a node is there with an old and a new disk. */
  readonly directoryId?: string | undefined;
}
