/** What a consumer can be told, and what it assumes when it is not. */

import type { RecordHeader } from '../protocol/record-batch-builder.ts';
import { ClientError } from './errors.ts';
import type { OffsetReset, TopicPartition } from './fetch-positions.ts';
import { withLimits } from './limits.ts';
import type { Deserializer } from './serde.ts';

export type { OffsetReset, TopicPartition } from './fetch-positions.ts';

/** A record as a consumer hands it out; its bytes are views of what was fetched, so copy what you keep for long. */
export interface ConsumerRecord<K, V> {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Milliseconds since the epoch: of the record, or of its append where the topic says so. */
  readonly timestamp: number;
  /** Null where the record has none. */
  readonly key: K | null;
  /** Null is a tombstone. */
  readonly value: V | null;
  /** In their order; keys may repeat, and values are bytes or null. */
  readonly headers: readonly RecordHeader[];
  /** The epoch of the leader that wrote it. */
  readonly leaderEpoch: number;
}

/** An offset to commit: that of the next record to read. */
export interface PartitionOffset extends TopicPartition {
  readonly offset: number;
  /** The epoch of the record before it (`ConsumerRecord.leaderEpoch`): lets a truncated log be noticed. */
  readonly leaderEpoch?: number;
  /** Free text, kept beside the offset. */
  readonly metadata?: string | null;
}

/** A consumer's membership, as `consumer.groupMetadata()` has it. */
export interface GroupMetadata {
  readonly groupId: string;
  readonly memberId: string;
  /** Raised by the coordinator at each rebalance; a commit with an older one is refused. */
  readonly memberEpoch: number;
}

/** Called within `poll` (or between two records of `for await`), and awaited. */
export interface RebalanceListener {
  /** They are owned from now on, and nothing of them was handed out yet: the time to `seek`. */
  onAssigned?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** They are still owned: the time to finish and commit. */
  onRevoked?(partitions: readonly TopicPartition[]): void | Promise<void>;
  /** They belong to another member already: too late to commit. */
  onLost?(partitions: readonly TopicPartition[]): void | Promise<void>;
}

/** Where to begin: at the group's committed offset, or at an end of the log whatever was committed. */
export type StartFrom = 'committed' | 'earliest' | 'latest';

/** Defaults of the limits, each with its unit in its name. */
const CONSUMER_DEFAULTS = {
  /** How many records one `poll` returns at most (`max.poll.records`). Default 500. */
  pollRecordsMax: 500,
  /** How long a broker may wait for `fetchBytesMin`, in milliseconds (`fetch.max.wait.ms`). Default 500. */
  fetchWaitMs: 500,
  /** How many bytes a broker waits for before it answers (`fetch.min.bytes`). Default 1. */
  fetchBytesMin: 1,
  /** How many bytes one fetch may return (`fetch.max.bytes`). Default 16 MiB. */
  fetchBytesMax: 16_777_216,
  /** How many bytes one fetch may return of one partition (`max.partition.fetch.bytes`). Default 1 MiB. */
  maxPartitionFetchBytes: 1_048_576,
  /** How many bytes are fetched ahead of the application, over all partitions, under-way fetches included. Default 64 MiB. */
  prefetchBytesMax: 67_108_864,
  /** How often offsets are committed by themselves, in milliseconds (`auto.commit.interval.ms`). Default 5,000. */
  autoCommitIntervalMs: 5_000,
  /**
   * How long the group waits for this member to give up partitions, so how long a `poll` may be away, in milliseconds.
   * Default 300,000.
   */
  rebalanceTimeoutMs: 300_000,
  /** How long lookups and commits are tried again, in milliseconds (`default.api.timeout.ms`). Default 60,000. */
  apiTimeoutMs: 60_000,
  /** How long one request may go unanswered beyond its own waiting, in milliseconds. Default 15,000. */
  requestTimeoutMs: 15_000,
};

/** The numbers among a consumer's options, with their defaults. */
export type ConsumerLimits = typeof CONSUMER_DEFAULTS;

/** Bytes need no deserializer; whoever wants anything else says how to make it. */
type Deserializers<K, V> = (Uint8Array extends K
  ? { readonly key?: Deserializer<K> }
  : { readonly key: Deserializer<K> }) &
  (Uint8Array extends V ? { readonly value?: Deserializer<V> } : { readonly value: Deserializer<V> });

/** What `client.consumer()` takes; a deserializer may be left out only where bytes will do. */
export type ConsumerOptions<K = Uint8Array, V = Uint8Array> = GeneralOptions & Deserializers<K, V>;

interface GeneralOptions extends Partial<ConsumerLimits> {
  /** The group to join, or (with `assign`) to commit for. */
  readonly group?: string;
  /** `committed` with a group, else what `autoOffsetReset` says. */
  readonly from?: StartFrom;
  /** What to do where there is no committed offset, or where it has expired: `earliest`, `latest` (default) or `none`, an error. */
  readonly autoOffsetReset?: OffsetReset;
  /** Commits what was handed out before the latest `poll`, now and then, at rebalances and at `close`. On by default with a group. */
  readonly autoCommit?: boolean;
  /** A name that outlives this process (static membership). */
  readonly groupInstanceId?: string;
  /** Where this consumer is, for a group that assigns by racks. */
  readonly rackId?: string;
  /** `uniform` or `range`; the group's default otherwise. */
  readonly assignor?: string;
}

export interface ConsumerSettings {
  readonly group: string | undefined;
  readonly from: StartFrom;
  readonly autoOffsetReset: OffsetReset;
  readonly autoCommit: boolean;
  readonly groupInstanceId: string | null;
  readonly rackId: string | null;
  readonly assignor: string | null;
  readonly limits: ConsumerLimits;
}

/** Checks the options and fills in the defaults. */
export function consumerSettings(options: GeneralOptions): ConsumerSettings {
  const { group, autoOffsetReset = 'latest' } = options;
  if (group === '') throw new ClientError('INVALID_CONFIG', 'consumer: group must not be empty');
  if (!['earliest', 'latest', 'none'].includes(autoOffsetReset)) {
    throw new ClientError(
      'INVALID_CONFIG',
      `consumer: autoOffsetReset must be earliest, latest or none, not ${autoOffsetReset}`,
    );
  }
  const from =
    options.from ?? (group === undefined && autoOffsetReset !== 'none' ? autoOffsetReset : 'committed');
  if (!['committed', 'earliest', 'latest'].includes(from)) {
    throw new ClientError(
      'INVALID_CONFIG',
      `consumer: from must be committed, earliest or latest, not ${from}`,
    );
  }
  const limits = withLimits('consumer', CONSUMER_DEFAULTS, options, { fetchWaitMs: { min: 0 } });
  return {
    group,
    from,
    autoOffsetReset,
    autoCommit: options.autoCommit ?? group !== undefined,
    groupInstanceId: options.groupInstanceId ?? null,
    rackId: options.rackId ?? null,
    assignor: options.assignor ?? null,
    limits,
  };
}
