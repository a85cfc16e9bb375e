import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, int64, struct, uuid } from '../schema.ts';

/** The state of the metadata quorum, as its leader sees it. */
export const DescribeQuorum = api({
  key: 55,
  name: 'DescribeQuorum',
  minVersion: 0,
  maxVersion: 0,
  request: struct({}),
  response: struct({
    errorCode: int16(),
    leaderId: int32().default(-1),
    leaderEpoch: int32(),
    highWatermark: int64(),
    currentVoters: array(
      struct({ replicaId: int32(), directoryId: uuid(), logEndOffset: int64(), lastResponseMsAgo: int64() }),
    ),
    observers: array(
      struct({ replicaId: int32(), directoryId: uuid(), logEndOffset: int64(), lastResponseMsAgo: int64() }),
    ),
  }),
});

export type DescribeQuorumRequest = RequestOf<typeof DescribeQuorum>;
export type DescribeQuorumResponse = ResponseOf<typeof DescribeQuorum>;
