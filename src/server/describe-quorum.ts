import type { DescribeQuorumResponse } from '../protocol/messages/describe-quorum.ts';
import type { QuorumDescription, ReplicaDescription } from '../raft/describe.ts';

/** The quorum's own description in the terms of the protocol. */
export function quorumResponse(quorum: QuorumDescription | undefined): DescribeQuorumResponse {
  return {
    errorCode: 0,
    leaderId: quorum?.leaderId ?? -1,
    leaderEpoch: quorum?.epoch ?? 0,
    highWatermark: quorum?.commitIndex ?? 0,
    currentVoters: quorum?.voters.map(replica) ?? [],
    observers: quorum?.observers.map(replica) ?? [],
  };
}

function replica({ id, directoryId, matchIndex, lastContactMsAgo }: ReplicaDescription) {
  return {
    replicaId: id,
    directoryId,
    logEndOffset: matchIndex,
    lastResponseMsAgo: Math.round(lastContactMsAgo),
  };
}
