import type { ControllerShell } from '../controller/shell.ts';
import { OLDEST_CATALOGUE_VERSION } from '../protocol/catalogue-version.ts';
import type { DescribeQuorumResponse } from '../protocol/messages/describe-quorum.ts';
import type { QuorumDescription, ReplicaDescription } from '../raft/describe.ts';

/** The quorum's own description in the terms of the protocol. */
export function quorumResponse(
  quorum: QuorumDescription | undefined,
  catalogue: ReturnType<ControllerShell['catalogue']>,
): DescribeQuorumResponse {
  return {
    errorCode: 0,
    leaderId: quorum?.leaderId ?? -1,
    leaderEpoch: quorum?.epoch ?? 0,
    highWatermark: quorum?.commitIndex ?? 0,
    currentVoters: quorum?.voters.map(replica) ?? [],
    observers: quorum?.observers.map(replica) ?? [],
    catalogueLevel: catalogue?.level ?? OLDEST_CATALOGUE_VERSION,
    catalogueHeldBackBy: [...(catalogue?.heldBackBy ?? [])],
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
