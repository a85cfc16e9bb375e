import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, bool, int16, int32, int64, string, struct, uuid } from '../schema.ts';

/** Asks a voter for its vote, or (preVote) whether it would give one. Raft 5.2, 9.6; KIP-996. */
export const Vote = api({
  key: 52,
  name: 'Vote',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    clusterId: string(),
    /** The voter that is asked: a node whose disk was wiped has another directory id and must not answer. */
    voterId: int32(),
    voterDirectoryId: uuid(),
    candidateId: int32(),
    candidateDirectoryId: uuid(),
    candidateEpoch: int32(),
    lastEpoch: int32(),
    lastIndex: int64(),
    preVote: bool(),
    /** The leader asked this candidate to take over: a live lease does not refuse it (KAFKA-20895). */
    transfer: bool(),
  }),
  response: struct({
    errorCode: int16(),
    epoch: int32(),
    leaderId: int32().default(-1),
    voteGranted: bool(),
  }),
});

export type VoteRequest = RequestOf<typeof Vote>;
export type VoteResponse = ResponseOf<typeof Vote>;
