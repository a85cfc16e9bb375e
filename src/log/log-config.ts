/** The settings of one partition log (Kafka's topic configs) and the limits of a whole log directory. */

export interface LogConfig {
  /** `segment.bytes`: a segment is rolled before it would grow beyond this. */
  readonly segmentBytes: number;
  /** `segment.ms`: a segment is rolled when its first batch was appended longer ago than this. */
  readonly segmentMs: number;
  /** `retention.ms`: -1 keeps records forever. */
  readonly retentionMs: number;
  /** `retention.bytes`: -1 does not limit the size. */
  readonly retentionBytes: number;
  /** `max.message.bytes`: the largest record batch that a leader accepts. */
  readonly maxMessageBytes: number;
  /** `sync`: an append counts once it is fdatasynced. `os`: once it is in the page cache (Kafka's trade). */
  readonly flush: 'sync' | 'os';
  /** `index.interval.bytes`: roughly one index entry for so many bytes of batches. */
  readonly indexIntervalBytes: number;
  /** `message.timestamp.type`. */
  readonly timestampType: 'CreateTime' | 'LogAppendTime';
}

export const DEFAULT_LOG_CONFIG: LogConfig = {
  segmentBytes: 2 ** 30,
  segmentMs: 7 * 24 * 3_600_000,
  retentionMs: 7 * 24 * 3_600_000,
  retentionBytes: -1,
  maxMessageBytes: 1_048_588,
  flush: 'sync',
  indexIntervalBytes: 4096,
  timestampType: 'CreateTime',
};

export interface LogLimits {
  /** Batches kept in memory for tail reads, over the whole directory. Batches not yet on disk always stay. */
  readonly tailCacheBytesMax: number;
  /** The least that a cold read takes from the disk at once. */
  readonly coldReadBytes: number;
  /** Files kept open between uses, over the whole directory. */
  readonly openFilesMax: number;
  /** Indexes of closed segments kept in memory, over the whole directory. */
  readonly indexCacheBytesMax: number;
  /** How often offsets are checkpointed; also how much an unclean start has to scan. */
  readonly checkpointIntervalMs: number;
  readonly retentionIntervalMs: number;
  /** How long a removed partition stays in the trash folder. */
  readonly trashDelayMs: number;
  /** `producer.id.expiration.ms`. */
  readonly producerExpirationMs: number;
  /** Idempotent producers remembered per partition; the longest silent one is forgotten first. */
  readonly producersMax: number;
  /** How soon a write is tried again after the disk was full. */
  readonly diskFullRetryMs: number;
  /** Partition logs recovered at the same time at start. */
  readonly recoveriesMax: number;
}

export const DEFAULT_LOG_LIMITS: LogLimits = {
  tailCacheBytesMax: 32 * 2 ** 20,
  coldReadBytes: 256 * 2 ** 10,
  openFilesMax: 512,
  indexCacheBytesMax: 8 * 2 ** 20,
  checkpointIntervalMs: 5_000,
  retentionIntervalMs: 60_000,
  trashDelayMs: 60_000,
  producerExpirationMs: 24 * 3_600_000,
  producersMax: 10_000,
  diskFullRetryMs: 1_000,
  recoveriesMax: 8,
};
