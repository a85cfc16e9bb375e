import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, int64, string, struct, uuid } from '../schema.ts';

/** Commits consumed positions of a group. */
export const OffsetCommit = api({
  key: 8,
  name: 'OffsetCommit',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    groupId: string(),
    /** -1 for a commit outside a group (assign). */
    generationIdOrMemberEpoch: int32().default(-1),
    memberId: string(),
    groupInstanceId: string().nullable(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            committedOffset: int64(),
            committedLeaderEpoch: int32().default(-1),
            committedMetadata: string().nullable(),
          }),
        ),
      }),
    ),
  }),
  response: struct({
    throttleTimeMs: int32(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(struct({ partitionIndex: int32(), errorCode: int16() })),
      }),
    ),
  }),
});

export type OffsetCommitRequest = RequestOf<typeof OffsetCommit>;
export type OffsetCommitResponse = ResponseOf<typeof OffsetCommit>;
