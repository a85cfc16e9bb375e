import { OLDEST_CATALOGUE_VERSION } from '../catalogue-version.ts';
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
    /** The version of the catalogue that the cluster has reached, by the active controller's account. */
    catalogueLevel: int32().default(OLDEST_CATALOGUE_VERSION).sinceCatalogue(3, { ignorable: true }),
    /** Nodes that the next level waits for: they did not tell (yet) that they can read it. */
    catalogueHeldBackBy: array(int32()).sinceCatalogue(3, { ignorable: true }),
  }),
});

export type DescribeQuorumRequest = RequestOf<typeof DescribeQuorum>;
export type DescribeQuorumResponse = ResponseOf<typeof DescribeQuorum>;
