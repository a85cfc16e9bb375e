import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int16, int32, int64, string, struct } from '../schema.ts';

/** The replicas on the disk of one broker: it answers for itself alone. Null topics means all of them. */
export const DescribeLogDirs = api({
  key: 35,
  name: 'DescribeLogDirs',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    topics: array(struct({ topic: string(), partitions: array(int32()) })).nullable(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    results: array(
      struct({
        errorCode: int16(),
        logDir: string(),
        topics: array(
          struct({
            name: string(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                partitionSize: int64(),
                /** How far the log's end is behind the high watermark that this replica knows. */
                offsetLag: int64(),
                isFutureKey: bool(),
                /** Ours: the ends of this replica's own log, so that replicas can be compared. */
                logStartOffset: int64().default(-1),
                logEndOffset: int64().default(-1),
              }),
            ),
          }),
        ),
        /** Of the volume; -1: unknown. */
        totalBytes: int64().default(-1),
        usableBytes: int64().default(-1),
      }),
    ),
  }),
});

export type DescribeLogDirsRequest = RequestOf<typeof DescribeLogDirs>;
export type DescribeLogDirsResponse = ResponseOf<typeof DescribeLogDirs>;
