import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, int64, string, struct } from '../schema.ts';

/** The end offset of a leader epoch, so that a reader can tell that the log was truncated (KIP-320). */
export const OffsetForLeaderEpoch = api({
  key: 23,
  name: 'OffsetForLeaderEpoch',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [2, 4], flexible: 4 },
  request: struct({
    replicaId: int32().since(3).default(-1),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32().default(-1),
            leaderEpoch: int32(),
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: int32(),
    topics: array(
      struct({
        topic: string(),
        partitions: array(
          struct({
            errorCode: int16(),
            partition: int32(),
            leaderEpoch: int32().default(-1),
            endOffset: int64().default(-1),
          }),
        ),
      }),
    ),
  }),
});

export type OffsetForLeaderEpochRequest = RequestOf<typeof OffsetForLeaderEpoch>;
export type OffsetForLeaderEpochResponse = ResponseOf<typeof OffsetForLeaderEpoch>;
