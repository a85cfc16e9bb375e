import type { Metric } from '../platform/ports.ts';

export const REPLICATION_METRICS = {
  replicas: {
    name: 'odradek_replicas',
    type: 'gauge',
    labels: ['state'],
    help: 'Replicas on this node by state: leader, follower, opening, idle (nobody leads), corrupt',
    worry: 'there are any in state idle or corrupt',
  },
  underReplicated: {
    name: 'odradek_partitions_under_replicated',
    type: 'gauge',
    help: 'Partitions led here with fewer in-sync replicas than replicas',
    worry: 'it is above 0 while all nodes run',
  },
  underMinIsr: {
    name: 'odradek_partitions_under_min_isr',
    type: 'gauge',
    help: 'Partitions led here with fewer in-sync replicas than min.insync.replicas: writes with acks=all are refused',
    worry: 'it is above 0',
  },
  sizeBytes: {
    name: 'odradek_partition_size_bytes',
    type: 'gauge',
    labels: ['topic', 'partition'],
    help: 'Size of the log of each replica on this node',
  },
  startOffset: {
    name: 'odradek_partition_log_start_offset',
    type: 'gauge',
    labels: ['topic', 'partition'],
    help: 'First offset of each partition led here',
  },
  endOffset: {
    name: 'odradek_partition_log_end_offset',
    type: 'gauge',
    labels: ['topic', 'partition'],
    help: 'Offset that the next record of each partition led here gets; its rate is the records written',
  },
  highWatermark: {
    name: 'odradek_partition_high_watermark',
    type: 'gauge',
    labels: ['topic', 'partition'],
    help: 'Offset up to which each partition led here is committed and can be read',
    worry: 'it stands still below the log end offset',
  },
  followerLag: {
    name: 'odradek_follower_lag_records',
    type: 'gauge',
    labels: ['follower'],
    help: 'How far a follower is behind in the partition led here in which it is behind most',
    worry: 'it keeps growing',
  },
  purgatory: {
    name: 'odradek_purgatory_requests',
    type: 'gauge',
    labels: ['kind'],
    help: 'Requests that wait: produce (for replicas), fetch (of consumers, for records), replica_fetch (of followers)',
    worry: 'produce keeps growing: followers are too slow',
  },
  purgatorySeconds: {
    name: 'odradek_purgatory_wait_seconds',
    type: 'histogram',
    labels: ['kind'],
    help: 'How long they waited; contained in the stage handle of odradek_request_seconds',
  },
  fetchFailures: {
    name: 'odradek_replica_fetch_failures_total',
    type: 'counter',
    help: 'Times that this node could not fetch as a follower and backed off',
    worry: 'it grows while all nodes run',
  },
  rebuilds: {
    name: 'odradek_replica_rebuilds_total',
    type: 'counter',
    help: 'Damaged replicas that were thrown away to be filled again from their leader',
  },
} satisfies Record<string, Metric>;
