import { api, int16, int32, string, struct, uuid } from '../schema.ts';

/** A leader that steps down asks its most caught-up voter to campaign at once. */
export const EndQuorumEpoch = api({
  key: 54,
  name: 'EndQuorumEpoch',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    clusterId: string(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    leaderId: int32(),
    leaderEpoch: int32(),
  }),
  response: struct({
    errorCode: int16(),
    epoch: int32(),
  }),
});
