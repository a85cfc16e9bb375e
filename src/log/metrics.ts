import type { Metric } from '../platform/ports.ts';

export const LOG_METRICS = {
  roundSeconds: {
    name: 'odradek_log_commit_round_seconds',
    type: 'histogram',
    help: 'Time of one round of group commit: the writes and syncs of all partition logs with something new',
    worry: 'it grows while odradek_fsync_seconds does not: too many logs share a round',
  },
  logs: { name: 'odradek_logs', type: 'gauge', help: 'Partition logs on this node' },
  tailCache: {
    name: 'odradek_log_tail_cache_bytes',
    type: 'gauge',
    help: 'Record batches kept in memory for tail reads and followers (limits.tailCacheBytesMax)',
  },
  cleanStart: {
    name: 'odradek_log_clean_start',
    type: 'gauge',
    help: '1: the node was stopped in order before this start, or its machine stayed up; 0: unsynced writes may be lost (or it is the first start)',
    worry: 'it is 0 and nobody knows of a power failure',
  },
  recoveries: {
    name: 'odradek_log_recoveries_total',
    type: 'counter',
    help: 'Logs whose tail was scanned at start, since they were not closed in order',
  },
  truncations: {
    name: 'odradek_log_truncations_total',
    type: 'counter',
    help: 'Logs cut back: to the log of a new leader, or behind a torn write',
    worry: 'it grows while no leader changes',
  },
  corruptions: {
    name: 'odradek_log_corruptions_total',
    type: 'counter',
    help: 'Logs found damaged; each is rebuilt from its leader',
    worry: 'it is not 0: look at the disk',
  },
  corrupt: {
    name: 'odradek_log_corrupt',
    type: 'gauge',
    help: 'Logs that are damaged now and serve nothing',
    worry: 'it stays above 0: no other replica can lead, so nothing can rebuild it',
  },
  diskFull: {
    name: 'odradek_log_disk_full',
    type: 'gauge',
    help: 'Logs that refuse appends because their last write met a full disk',
    worry: 'it is above 0',
  },
  deletedSegments: {
    name: 'odradek_log_deleted_segments_total',
    type: 'counter',
    help: 'Segments that retention removed',
  },
} satisfies Record<string, Metric>;
