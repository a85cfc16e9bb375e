import { api, array, bool, bytes, int16, int32, int64, string, struct, uuid } from '../schema.ts';

/** The quorum leader replicates entries and its commit index; without entries, a heartbeat. Raft 5.3. */
export const AppendEntries = api({
  key: 10000,
  name: 'AppendEntries',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    clusterId: string(),
    /** The receiver that the leader means; the directory id is the zero uuid for an observer. */
    voterId: int32(),
    voterDirectoryId: uuid(),
    leaderId: int32(),
    leaderEpoch: int32(),
    prevIndex: int64(),
    prevEpoch: int32(),
    commitIndex: int64(),
    /** `voterSet`: who votes from this entry on, as JSON; empty where the entry does not say. */
    entries: array(struct({ epoch: int32(), payload: bytes(), voterSet: bytes().sinceCatalogue(3) })),
  }),
  response: struct({
    errorCode: int16(),
    epoch: int32(),
    success: bool(),
    /** The last index that the receiver has synced and that matches this request. */
    matchIndex: int64(),
    /** On a mismatch: where the leader may try next (Raft 5.3, the fast back-up). */
    conflictIndex: int64(),
    conflictEpoch: int32(),
  }),
});
