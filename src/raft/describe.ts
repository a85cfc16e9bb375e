import type { RaftState } from './state.ts';
import { isSame, keyOf } from './types.ts';

export interface ReplicaDescription {
  readonly id: number;
  readonly directoryId: string;
  /** The last index that it has on disk; -1 when this node does not know. */
  readonly matchIndex: number;
  readonly lastContactMsAgo: number;
}

/** The quorum as one node sees it (DescribeQuorum, status pages). */
export interface QuorumDescription {
  readonly leaderId: number | undefined;
  readonly epoch: number;
  readonly commitIndex: number;
  readonly lastIndex: number;
  readonly snapshotIndex: number;
  readonly voters: readonly ReplicaDescription[];
  readonly observers: readonly ReplicaDescription[];
}

export function describeQuorum(s: Readonly<RaftState>, nowMs: number): QuorumDescription {
  const describe = (key: { id: number; directoryId: string }): ReplicaDescription => {
    const { id, directoryId } = key;
    if (isSame(key, s.self)) return { id, directoryId, matchIndex: s.log.syncedIndex, lastContactMsAgo: 0 };
    const progress = s.replicas.get(keyOf(key));
    if (!progress) return { id, directoryId, matchIndex: -1, lastContactMsAgo: -1 };
    return {
      id,
      directoryId,
      matchIndex: progress.matchIndex,
      lastContactMsAgo: nowMs - progress.lastContactMs,
    };
  };
  const observers = [...s.replicas.values()].filter((progress) => !progress.isVoter);
  return {
    leaderId: s.leaderId,
    epoch: s.epoch,
    commitIndex: s.commitIndex,
    lastIndex: s.log.lastIndex,
    snapshotIndex: s.snapshot.index,
    voters: s.voters.map(describe),
    observers: observers.map((progress) => describe(progress.key)),
  };
}
