import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int8, int16, int32, int64, string, struct, withDefault } from '../schema.ts';

/** Finds offsets by timestamp: -1 latest (the high watermark), -2 earliest, -3 of the largest timestamp, else the first at or after it. */
export const ListOffsets = api({
  key: 2,
  name: 'ListOffsets',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    replicaId: withDefault(int32(), -1),
    isolationLevel: int8(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            currentLeaderEpoch: withDefault(int32(), -1),
            timestamp: int64(),
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            timestamp: withDefault(int64(), -1),
            offset: withDefault(int64(), -1),
            leaderEpoch: withDefault(int32(), -1),
          }),
        ),
      }),
    ),
  }),
});

export type ListOffsetsRequest = RequestOf<typeof ListOffsets>;
export type ListOffsetsResponse = ResponseOf<typeof ListOffsets>;
