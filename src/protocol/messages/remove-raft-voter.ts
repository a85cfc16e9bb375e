import { api, int16, int32, string, struct, uuid } from '../schema.ts';

/** Takes the vote from a replica; its node goes on as an observer, if it is there at all (KIP-853). */
export const RemoveRaftVoter = api({
  key: 81,
  name: 'RemoveRaftVoter',
  since: 3,
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    clusterId: string().nullable(),
    voterId: int32(),
    voterDirectoryId: uuid(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
  }),
});
