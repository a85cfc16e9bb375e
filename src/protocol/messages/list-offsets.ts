import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int8, int16, int32, int64, string, struct } from '../schema.ts';

/** Finds offsets by timestamp: -1 latest (the high watermark), -2 earliest, -3 of the largest timestamp, else the first at or after it. */
export const ListOffsets = api({
  key: 2,
  name: 'ListOffsets',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [1, 11], flexible: 6 },
  request: struct({
    replicaId: int32().default(-1),
    isolationLevel: int8().since(2),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            currentLeaderEpoch: int32().since(4).default(-1),
            timestamp: int64(),
          }),
        ),
      }),
    ),
    /** How long a broker may look for offsets in remote storage. */
    timeoutMs: int32().since(10).optional(),
  }),
  response: struct({
    throttleTimeMs: int32().since(2),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            timestamp: int64().default(-1),
            offset: int64().default(-1),
            leaderEpoch: int32().since(4).default(-1),
          }),
        ),
      }),
    ),
  }),
});

export type ListOffsetsRequest = RequestOf<typeof ListOffsets>;
export type ListOffsetsResponse = ResponseOf<typeof ListOffsets>;
