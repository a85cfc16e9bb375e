import { becomeLeader, stopLeading } from './leader.ts';
import type { RaftState } from './state.ts';
import type { EndEpochRequest, ReplicaKey, VoteRequest, VoteResponse } from './types.ts';
import { isSame, keyOf } from './types.ts';

/** Pre-votes after a hint that the leader is gone come this soon, and this often at most. */
const HINT_JITTER_MS_MIN = 10;
const HINT_JITTER_MS_MAX = 100;
const HINTED_ATTEMPTS_MAX = 10;

/** Waits a whole random election timeout for a leader to be heard. Observers only ask around: chance would be of no use. */
function armElectionTimer(s: RaftState, nowMs: number): void {
  const { electionTimeoutMs, electionTimeoutMsMax } = s.limits;
  s.electionDeadlineMs =
    nowMs + s.between(electionTimeoutMs, s.mayStand ? electionTimeoutMsMax : electionTimeoutMs);
}

/** A leader that gave up waits to hear another. Without a vote it is told nothing until it asks: it does so soon. */
export function awaitSuccessor(s: RaftState, nowMs: number): void {
  if (s.isVoter) armElectionTimer(s, nowMs);
  else armRetryTimer(s, nowMs);
}

/**
 * Waits for the answers of a (pre-)vote round, or for the next try: short at first, doubling. Who only asks around disturbs
 * nobody, and asks on at once, so that a broker outside the quorum knows of a new controller as soon as there is one.
 */
export function armRetryTimer(s: RaftState, nowMs: number): void {
  if (s.hintedAttempts > 0) {
    s.hintedAttempts--;
    s.electionDeadlineMs = nowMs + s.between(HINT_JITTER_MS_MIN, HINT_JITTER_MS_MAX);
    return;
  }
  const baseMs = Math.min(
    s.limits.electionTimeoutMs,
    s.limits.electionRetryMs * 2 ** (s.mayStand ? Math.min(s.electionAttempts, 20) : 0),
  );
  s.electionAttempts++;
  s.electionDeadlineMs = nowMs + s.between(baseMs, 2 * baseMs);
}

/** A higher epoch was seen: whatever this node was, it is nothing in that epoch yet (Raft 5.1). */
export function adoptEpoch(s: RaftState, epoch: number, nowMs: number): void {
  if (epoch <= s.epoch) return;
  if (s.role === 'leader') {
    s.note('Stepping down: a higher epoch was seen', { higherEpoch: epoch });
    stopLeading(s);
    awaitSuccessor(s, nowMs);
  }
  s.setHardState(epoch, undefined);
  s.role = s.isVoter ? 'unattached' : 'observer';
  s.leaderId = undefined;
  s.leaderContactMs = Number.NEGATIVE_INFINITY;
}

/** The leader of this epoch was heard. */
export function followLeader(s: RaftState, leaderId: number, nowMs: number): void {
  acceptLeader(s, leaderId);
  s.leaderContactMs = nowMs;
  s.lastLeader = { id: leaderId, contactMs: nowMs };
  s.electionAttempts = 0;
  s.hintedAttempts = 0;
  armElectionTimer(s, nowMs);
}

/**
 * Another node named the leader of this epoch. It may name one that is gone, for as long as it waits for it itself: until
 * the leader is heard this one goes on asking.
 */
export function followByHearsay(s: RaftState, leaderId: number, nowMs: number): void {
  acceptLeader(s, leaderId);
  armRetryTimer(s, nowMs);
}

function acceptLeader(s: RaftState, leaderId: number): void {
  if (s.role === 'leader' || (s.leaderId !== undefined && s.leaderId !== leaderId)) {
    throw new Error(`two leaders in epoch ${s.epoch}: ${leaderId} beside ${s.leaderId ?? s.self.id}`);
  }
  if (s.leaderId !== leaderId) {
    s.leaderId = leaderId;
    s.note('Following the leader of this epoch', { leaderId });
  }
  s.role = s.isVoter ? 'follower' : 'observer';
}

/** Asks whether an election could be won, without disturbing anybody (thesis 9.6). */
export function startPreVote(s: RaftState, nowMs: number): void {
  s.note('No leader is heard: asking for pre-votes', {
    lastIndex: s.log.lastIndex,
    lostLeaderId: s.leaderId,
  });
  s.role = 'prospective';
  s.leaderId = undefined;
  s.leaderContactMs = Number.NEGATIVE_INFINITY;
  armRetryTimer(s, nowMs);
  s.votes = new Map([[keyOf(s.self), true]]);
  askVoters(s, { preVote: true, transfer: false });
  countVotes(s, nowMs);
}

/** Stands for the next epoch. */
function campaign(s: RaftState, nowMs: number, transfer: boolean): void {
  s.setHardState(s.epoch + 1, s.self);
  s.note('Standing for election', { lastIndex: s.log.lastIndex, transfer });
  s.role = 'candidate';
  s.leaderId = undefined;
  s.leaderContactMs = Number.NEGATIVE_INFINITY;
  s.hintedAttempts = 0;
  armRetryTimer(s, nowMs);
  // The vote for itself counts once it is on disk, see `onHardStateSynced`.
  s.votes = new Map();
  askVoters(s, { preVote: false, transfer });
}

function askVoters(s: RaftState, how: { preVote: boolean; transfer: boolean }): void {
  for (const voter of s.voters) {
    if (s.isSelf(voter)) continue;
    const request: VoteRequest = {
      type: 'vote',
      ...how,
      epoch: s.epoch,
      lastIndex: s.log.lastIndex,
      lastEpoch: s.log.lastEpoch,
    };
    s.send(voter, request, { afterSync: !how.preVote });
  }
}

/** The hard state of this epoch became durable: a candidate may now count the vote that it gave itself. */
export function onHardStateSynced(s: RaftState, nowMs: number): void {
  if (s.role !== 'candidate' || s.syncedEpoch < s.epoch) return;
  s.votes.set(keyOf(s.self), true);
  countVotes(s, nowMs);
}

function countVotes(s: RaftState, nowMs: number): void {
  const granted = s.voters.filter((voter) => s.votes.get(keyOf(voter))).length;
  if (granted < s.quorumSize) return;
  if (s.role === 'prospective') campaign(s, nowMs, false);
  else if (s.role === 'candidate') becomeLeader(s, nowMs);
}

export function onVoteResponse(
  s: RaftState,
  from: ReplicaKey,
  request: VoteRequest,
  response: VoteResponse,
  nowMs: number,
): void {
  if (response.epoch > s.epoch) {
    adoptEpoch(s, response.epoch, nowMs);
    return;
  }
  const expected = request.preVote ? 'prospective' : 'candidate';
  if (s.role !== expected || request.epoch !== s.epoch || !s.isVoterKey(from)) return;
  s.votes.set(keyOf(from), response.granted);
  countVotes(s, nowMs);
}

/** Answers a vote or pre-vote request. */
export function onVoteRequest(
  s: RaftState,
  from: ReplicaKey,
  request: VoteRequest,
  token: number,
  nowMs: number,
): void {
  if (request.preVote) {
    onPreVoteRequest(s, from, request, token, nowMs);
    return;
  }
  // Neither log decides who may vote here: one of the two may not have the newest voter set yet, and its vote may be the
  // one that is needed (thesis 4.2.2, KIP-853). The candidate counts the votes of its own set, and asked for this very
  // disk. But a stranger must not push the epoch up while a leader lives (thesis 4.2.3): it may have been removed.
  const isStranger = !s.isVoter || !s.isVoterKey(from);
  const eligible = !isStranger || request.transfer || !hasLiveLeader(s, from, nowMs);
  if (eligible) adoptEpoch(s, request.epoch, nowMs);
  const granted = eligible && mayVoteFor(s, from, request);
  if (granted && s.votedFor === undefined) {
    s.setHardState(s.epoch, from);
    s.role = s.isVoter ? 'unattached' : 'observer';
    s.note('Voted', { candidateId: from.id });
    armElectionTimer(s, nowMs);
  }
  // Raft figure 2: the vote is on disk before the candidate hears of it, or a crash would let this node vote twice.
  s.reply(token, { type: 'vote', epoch: s.epoch, granted }, { afterSync: true });
}

function mayVoteFor(s: RaftState, candidate: ReplicaKey, request: VoteRequest): boolean {
  if (request.epoch !== s.epoch || s.leaderId !== undefined) return false;
  if (s.votedFor !== undefined && !isSame(s.votedFor, candidate)) return false;
  return s.log.isUpToDate(request.lastIndex, request.lastEpoch);
}

/** A pre-vote changes nothing here; it is granted when an election now would be neither needless nor hopeless. */
function onPreVoteRequest(
  s: RaftState,
  from: ReplicaKey,
  request: VoteRequest,
  token: number,
  nowMs: number,
): void {
  const granted =
    request.epoch >= s.epoch &&
    !hasLiveLeader(s, from, nowMs) &&
    s.log.isUpToDate(request.lastIndex, request.lastEpoch);
  s.reply(token, { type: 'vote', epoch: s.epoch, granted }, { afterSync: false });
}

/** Does this node know of a leader that lives? One that resigns, or that itself asks for pre-votes, does not. */
function hasLiveLeader(s: RaftState, asking: ReplicaKey, nowMs: number): boolean {
  if (s.role === 'leader') return s.resignDeadlineMs === Number.POSITIVE_INFINITY;
  if (s.leaderId === undefined || s.leaderId === asking.id) return false;
  return nowMs - s.leaderContactMs < s.limits.electionTimeoutMs;
}

/** The leader steps down and asks this voter to take over: no pre-vote, which its followers might refuse. */
export function onEndEpoch(
  s: RaftState,
  from: ReplicaKey,
  request: EndEpochRequest,
  token: number,
  nowMs: number,
): void {
  const epoch = s.epoch;
  if (s.isVoter && request.epoch === s.epoch && s.role === 'follower' && s.leaderId === from.id) {
    campaign(s, nowMs, true);
  }
  s.reply(token, { type: 'endEpoch', epoch }, { afterSync: false });
}

/** A hint that a node's process is gone. If it led, its lease is void here, and this voter soon asks around. */
export function onUnreachable(s: RaftState, id: number, nowMs: number): void {
  if (s.role === 'leader' || s.leaderId !== id) return;
  s.note('The leader seems to be gone', { leaderId: id });
  s.leaderId = undefined;
  s.leaderContactMs = Number.NEGATIVE_INFINITY;
  s.hintedAttempts = HINTED_ATTEMPTS_MAX;
  if (s.isVoter) s.role = 'unattached';
  armRetryTimer(s, nowMs);
}
