import type { RequestOf, ResponseOf } from '../schema.ts';
import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  nullable,
  string,
  struct,
  uuid,
  withDefault,
} from '../schema.ts';

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
        memberId: nullable(string()),
        memberEpoch: withDefault(int32(), -1),
        topics: nullable(array(struct({ topicId: uuid(), partitionIndexes: array(int32()) }))),
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
                committedOffset: withDefault(int64(), -1),
                committedLeaderEpoch: withDefault(int32(), -1),
                metadata: nullable(string()),
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
