import type { ResponseOf } from '../schema.ts';
import { api, array, int16, int32, string, struct, uuid } from '../schema.ts';

/** Makes an observer of the metadata quorum a voter, once it holds the log (KIP-853). */
export const AddRaftVoter = api({
  key: 80,
  name: 'AddRaftVoter',
  since: 3,
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    clusterId: string().nullable(),
    /** How long to wait until the observer holds the log, and the change is committed. */
    timeoutMs: int32(),
    voterId: int32(),
    voterDirectoryId: uuid(),
    /** Where the other voters reach it; what it registered with, where the list is empty. */
    listeners: array(struct({ name: string(), host: string(), port: int32() })),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
  }),
});

export type VoterChangeResponse = ResponseOf<typeof AddRaftVoter>;
