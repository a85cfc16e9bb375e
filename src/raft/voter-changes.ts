import { broadcast, NO_OP } from './leader.ts';
import type { Progress } from './progress.ts';
import { newProgress } from './progress.ts';
import type { RaftState } from './state.ts';
import type { ReplicaKey, VoterChange, VoterRefusal, VoterSet } from './types.ts';
import { isSame, keyOf } from './types.ts';

/**
 * The voters change one at a time (thesis 4.1), and no change is made over an open one: not while the last one is
 * uncommitted, and not before an entry of this epoch is committed. Without the latter two leaders could each append a
 * change that the other never saw, and elect by majorities that share no voter (Ongaro, raft-dev, July 2015).
 *
 * What comes of a change: the next voter set, or why not.
 */
export function nextVoterSet(s: RaftState, change: VoterChange, nowMs: number): VoterSet | VoterRefusal {
  if (s.role !== 'leader') return 'notLeader';
  if (!s.noOpCommitted) return 'epochOpen';
  if (!s.mayNameVoters) return 'levelTooLow';
  if (s.resignDeadlineMs !== Number.POSITIVE_INFINITY) return 'handingOver';
  if (s.log.voterSetIndex > s.commitIndex) return 'changePending';
  const next = apply(s, change, nowMs);
  if (typeof next === 'string' || change.kind === 'update') return next;
  // Nothing could be committed, not even the way back, if a majority of the new set did not answer.
  const live = next.voters.filter((voter) => hasAnswered(s, voter, nowMs)).length;
  return live > next.voters.length / 2 ? next : 'majoritySilent';
}

function apply(s: RaftState, change: VoterChange, nowMs: number): VoterSet | VoterRefusal {
  const { voters, vacant } = s.log.voterSet;
  const { id } = change.voter;
  const sitting = voters.find((voter) => voter.id === id);
  const stillVacant = vacant.filter((seat) => seat.id !== id);
  if (change.kind === 'add') {
    // One identity per node: requests find a voter by the id of its node.
    if (sitting) return 'duplicateVoter';
    if (voters.length >= s.limits.votersMax) return 'tooManyVoters';
    const progress = s.replicas.get(keyOf(change.voter));
    if (!progress) return 'notObserving';
    if (!isCaughtUp(s, progress, nowMs)) return 'notCaughtUp';
    return { voters: [...voters, change.voter], vacant: stillVacant };
  }
  if (!sitting) {
    const isSeat = vacant.some((seat) => isSame(seat, change.voter));
    return change.kind === 'remove' && isSeat ? { voters, vacant: stillVacant } : 'unknownVoter';
  }
  if (!isSame(sitting, change.voter)) return 'otherDirectory';
  if (change.kind === 'update') {
    const { voter: moved } = change;
    return { voters: voters.map((voter) => (voter === sitting ? moved : voter)), vacant };
  }
  if (voters.length === 1) return 'lastVoter';
  return { voters: voters.filter((voter) => voter !== sitting), vacant: stillVacant };
}

/** Carries a change out that `nextVoterSet` has nothing against. */
export function changeVoters(s: RaftState, change: VoterChange, nowMs: number): void {
  const next = nextVoterSet(s, change, nowMs);
  if (typeof next === 'string') throw new Error(`the voters cannot be changed: ${next}`);
  appendVoterSet(s, next, nowMs);
  s.note('Changing the voters', { change: change.kind, voter: keyOf(change.voter), index: s.log.lastIndex });
}

/** It counts from here on, not from its commit: what is committed by the old majority alone could be lost by the new. */
function appendVoterSet(s: RaftState, voterSet: VoterSet, nowMs: number): void {
  s.log.append([{ index: s.log.lastIndex + 1, epoch: s.epoch, payload: NO_OP, voterSet }]);
  for (const voter of voterSet.voters) {
    if (!s.isSelf(voter) && !s.replicas.has(keyOf(voter)))
      s.replicas.set(keyOf(voter), newProgress(voter, true, s.log.lastIndex, nowMs));
  }
  for (const [key, progress] of s.replicas) {
    // A removed voter goes on as an observer, and so hears of its removal. One that is gone is not waited for.
    if (progress.isVoter && !s.isVoterKey(progress.key) && !isLive(s, progress.key, nowMs))
      s.replicas.delete(key);
    progress.isVoter = s.isVoterKey(progress.key);
  }
  broadcast(s, nowMs);
}

/** This leader votes no longer, and that is committed: from now on it only stands in the way (thesis 4.2.2). */
export function isRemovedForGood(s: RaftState): boolean {
  return s.role === 'leader' && s.noOpCommitted && s.log.voterSetIndex <= s.commitIndex && !s.isVoter;
}

/**
 * A node that came back with an empty disk is another replica: it observes, and its vote is missing. Once it holds the
 * log and its old self has been silent for long enough, it takes the seat: first the old identity goes, which makes the
 * majority no harder to reach, then the new one comes. The seat stays marked in between, so that the next leader goes
 * on where this one failed. Should the old disk return, nobody counts its vote.
 */
export function maybeReplaceWiped(s: RaftState, nowMs: number): void {
  if (s.role !== 'leader' || s.limits.wipedVoterTimeoutMs === Number.POSITIVE_INFINITY) return;
  // At the pace of the heartbeats; a busy leader has no ticks.
  if (nowMs < s.wipedSoughtMs + s.limits.heartbeatMs) return;
  s.wipedSoughtMs = nowMs;
  for (const progress of s.replicas.values()) {
    if (progress.isVoter || !isCaughtUp(s, progress, nowMs)) continue;
    const change = stepOfReplacing(s, progress.key, nowMs);
    const next = change && nextVoterSet(s, change, nowMs);
    if (!next || typeof next === 'string') continue;
    const { voters, vacant } = s.log.voterSet;
    const left = voters.filter((voter) => voter.id === progress.key.id);
    appendVoterSet(s, change.kind === 'remove' ? { ...next, vacant: [...vacant, ...left] } : next, nowMs);
    s.note(
      change.kind === 'remove'
        ? 'Removing a voter whose node came back with another disk'
        : 'Adding a voter in place of one whose disk was wiped',
      { voter: keyOf(change.voter), newDirectoryId: progress.key.directoryId, index: s.log.lastIndex },
    );
    return;
  }
}

function stepOfReplacing(s: RaftState, wiped: ReplicaKey, nowMs: number): VoterChange | undefined {
  const { voters, vacant } = s.log.voterSet;
  const seat = vacant.find(({ id }) => id === wiped.id);
  if (seat) return { kind: 'add', voter: { ...wiped, endpoint: seat.endpoint } };
  const old = voters.find(({ id }) => id === wiped.id);
  if (!old || s.isSelf(old)) return undefined;
  // Not on a mere claim: two nodes may have been given the same id.
  const heardMs = s.replicas.get(keyOf(old))?.lastContactMs ?? nowMs;
  return nowMs - heardMs >= s.limits.wipedVoterTimeoutMs ? { kind: 'remove', voter: old } : undefined;
}

function isCaughtUp(s: RaftState, progress: Progress, nowMs: number): boolean {
  return (
    progress.matchIndex > 0 &&
    nowMs - progress.lastContactMs < s.limits.checkQuorumMs &&
    progress.matchIndex + s.limits.voterLagEntriesMax >= s.log.lastIndex
  );
}

/** Not on credit: a new leader gives every voter time before it counts as silent, and one may be gone for good. */
function hasAnswered(s: RaftState, voter: ReplicaKey, nowMs: number): boolean {
  const matchIndex = s.isSelf(voter) ? s.log.syncedIndex : (s.replicas.get(keyOf(voter))?.matchIndex ?? 0);
  return matchIndex > 0 && isLive(s, voter, nowMs);
}

function isLive(s: RaftState, voter: ReplicaKey, nowMs: number): boolean {
  if (s.isSelf(voter)) return true;
  const progress = s.replicas.get(keyOf(voter));
  return progress !== undefined && nowMs - progress.lastContactMs < s.limits.checkQuorumMs;
}
