import { api, array, int16, int32, string, struct, uuid } from '../schema.ts';

/** Says where the others reach a voter from now on (KIP-853; its range of quorum versions has no meaning here). */
export const UpdateRaftVoter = api({
  key: 82,
  name: 'UpdateRaftVoter',
  since: 3,
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    clusterId: string().nullable(),
    currentLeaderEpoch: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    listeners: array(struct({ name: string(), host: string(), port: int32() })),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
  }),
});
