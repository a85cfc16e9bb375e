import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int16, int32, int64, string, struct, uuid } from '../schema.ts';

/** Reads committed positions of groups; null topics means all of them. */
export const OffsetFetch = api({
  key: 9,
  name: 'OffsetFetch',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    groups: array(
      struct({
        groupId: string(),
        memberId: string().nullable(),
        memberEpoch: int32().default(-1),
        topics: array(struct({ topicId: uuid(), partitionIndexes: array(int32()) })).nullable(),
      }),
    ),
    requireStable: bool(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    groups: array(
      struct({
        groupId: string(),
        topics: array(
          struct({
            topicId: uuid(),
            partitions: array(
              struct({
                partitionIndex: int32(),
                /** -1: nothing committed. */
                committedOffset: int64().default(-1),
                committedLeaderEpoch: int32().default(-1),
                metadata: string().nullable(),
                errorCode: int16(),
              }),
            ),
          }),
        ),
        errorCode: int16(),
      }),
    ),
  }),
});

export type OffsetFetchRequest = RequestOf<typeof OffsetFetch>;
export type OffsetFetchResponse = ResponseOf<typeof OffsetFetch>;
