import { maybeCommit } from './commit.ts';
import { awaitSuccessor } from './election.ts';
import type { Progress } from './progress.ts';
import { becomeProbe, expireInFlight, newProgress, reachedByMajority } from './progress.ts';
import { sendChunk } from './snapshots.ts';
import type { RaftState } from './state.ts';
import type { AppendRequest, AppendResponse, HelloRequest, ReplicaKey, Request } from './types.ts';
import { keyOf } from './types.ts';

export const NO_OP = new Uint8Array(0);

/** Won the election: open the epoch with a no-op, so that what older epochs left can be committed (Raft 8). */
export function becomeLeader(s: RaftState, nowMs: number): void {
  s.role = 'leader';
  s.leaderId = s.self.id;
  s.electionAttempts = 0;
  s.electionDeadlineMs = Number.POSITIVE_INFINITY;
  s.resignDeadlineMs = Number.POSITIVE_INFINITY;
  s.noOpCommitted = false;
  s.replicas = new Map();
  for (const voter of s.voters) {
    if (s.isSelf(voter)) continue;
    s.replicas.set(keyOf(voter), newProgress(voter, true, s.log.lastIndex + 1, nowMs));
  }
  s.epochStartIndex = s.log.lastIndex + 1;
  // It restates who votes: a log tells it from the first entry on, also where the first snapshot only knew it by hearsay.
  const voterSet = s.mayNameVoters ? s.log.voterSet : undefined;
  s.log.append([{ index: s.epochStartIndex, epoch: s.epoch, payload: NO_OP, voterSet }]);
  s.note('Elected leader of the metadata quorum', { epochStartIndex: s.epochStartIndex });
  broadcast(s, nowMs);
}

/** Forgets everything that only a leader has. */
export function stopLeading(s: RaftState): void {
  if (s.noOpCommitted) s.emit({ kind: 'notLeading' });
  s.noOpCommitted = false;
  s.needsFlush = false;
  s.replicas = new Map();
  s.resignDeadlineMs = Number.POSITIVE_INFINITY;
}

/** Gives the epoch up for good; only a higher one brings a leader again. */
function resign(s: RaftState, nowMs: number, message: string): void {
  s.note(message);
  stopLeading(s);
  s.role = s.isVoter ? 'resigned' : 'observer';
  s.leaderId = undefined;
  s.leaderContactMs = Number.NEGATIVE_INFINITY;
  awaitSuccessor(s, nowMs);
}

/** Sends every replica what it lacks, as far as its window allows. */
export function broadcast(s: RaftState, nowMs: number): void {
  s.needsFlush = false;
  for (const progress of s.replicas.values()) sendAppends(s, progress, nowMs);
}

export function sendAppends(s: RaftState, progress: Progress, nowMs: number): void {
  if (progress.mode === 'snapshot' || progress.nextIndex <= s.log.baseIndex) {
    sendChunk(s, progress, nowMs);
    return;
  }
  const window = progress.mode === 'probe' ? 1 : s.limits.appendsInFlightMax;
  while (progress.inFlight.size < window && hasNews(s, progress)) sendAppend(s, progress, nowMs);
}

/** Anything to tell: entries, or that something it has is now committed. */
function hasNews(s: RaftState, progress: Progress): boolean {
  if (progress.nextIndex <= s.log.lastIndex) return true;
  const known = Math.min(s.commitIndex, progress.nextIndex - 1);
  return progress.mode === 'replicate' && progress.sentCommitIndex < known;
}

function sendAppend(s: RaftState, progress: Progress, nowMs: number): void {
  const prevIndex = progress.nextIndex - 1;
  const entries = s.log.batch(progress.nextIndex, s.limits.appendBytesMax);
  const request: AppendRequest = {
    type: 'append',
    epoch: s.epoch,
    prevIndex,
    prevEpoch: s.log.epochAt(prevIndex) ?? 0,
    entries,
    commitIndex: s.commitIndex,
  };
  if (progress.mode === 'replicate') progress.nextIndex += entries.length;
  progress.sentCommitIndex = Math.min(s.commitIndex, prevIndex + entries.length);
  sendTracked(s, progress, request, nowMs);
}

/** Keeps the lease of a replica to which nothing else goes; says nothing about the log beyond what is confirmed. */
function sendHeartbeat(s: RaftState, progress: Progress, nowMs: number): void {
  const prevEpoch = s.log.epochAt(progress.matchIndex);
  const request: AppendRequest = {
    type: 'append',
    epoch: s.epoch,
    prevIndex: prevEpoch === undefined ? 0 : progress.matchIndex,
    prevEpoch: prevEpoch ?? 0,
    entries: [],
    commitIndex: s.commitIndex,
  };
  sendTracked(s, progress, request, nowMs);
}

/** Replication needs no sync first: the leader writes to its own disk in parallel (thesis 10.2.1). */
export function sendTracked(s: RaftState, progress: Progress, request: Request, nowMs: number): void {
  progress.inFlight.set(request, { sentMs: nowMs, matchIndex: progress.matchIndex });
  progress.lastSentMs = nowMs;
  s.send(progress.key, request, { afterSync: false });
}

/**
 * An append was answered by a replica that follows this epoch.
 * @param confirmedIndex what the replica had confirmed when the request was sent; undefined when it was given up since
 */
export function onAppendResponse(
  s: RaftState,
  progress: Progress,
  request: AppendRequest,
  response: AppendResponse,
  confirmedIndex: number | undefined,
  nowMs: number,
): void {
  if (response.success) onMatch(s, progress, request, response.matchIndex);
  else if (confirmedIndex !== undefined && request.prevIndex <= confirmedIndex)
    onLostEntries(s, progress, response);
  else if (request.prevIndex > progress.matchIndex && progress.mode !== 'snapshot') {
    const hint = s.log.lastAtOrBefore(response.conflictIndex, response.conflictEpoch);
    becomeProbe(progress, Math.min(hint.index + 1, request.prevIndex));
  }
  if (maybeCommit(s)) broadcast(s, nowMs);
  else sendAppends(s, progress, nowMs);
}

/**
 * It lacks what it had said to have on its disk, which lied to it, or is an older copy: no rule of Raft covers that. What it
 * counted for may be lost with another replica; it counts for nothing more until it has everything again.
 */
function onLostEntries(s: RaftState, progress: Progress, response: AppendResponse): void {
  const { id } = progress.key;
  const fields = { replicaId: id, hadConfirmed: progress.matchIndex, lastIndex: response.conflictIndex };
  s.note('A replica lost entries of the quorum log that it had confirmed: is its disk sound?', fields);
  progress.matchIndex = 0;
  becomeProbe(progress, s.log.lastAtOrBefore(response.conflictIndex, response.conflictEpoch).index + 1);
}

function onMatch(s: RaftState, progress: Progress, request: AppendRequest, matchIndex: number): void {
  if (matchIndex > s.log.lastIndex)
    throw new Error(`${keyOf(progress.key)} matches ${matchIndex}, beyond the log`);
  progress.matchIndex = Math.max(progress.matchIndex, matchIndex);
  progress.nextIndex = Math.max(progress.nextIndex, progress.matchIndex + 1);
  // The logs agree at least up to here, durable or not: from here on appends may be pipelined.
  const agreed = request.prevIndex + request.entries.length;
  if (progress.mode === 'probe' && agreed >= progress.nextIndex - 1) {
    progress.mode = 'replicate';
    progress.nextIndex = Math.max(progress.nextIndex, agreed + 1);
  }
}

/** What a leader does as time passes: heartbeats, lost requests, silent observers, check-quorum, hand-over. */
export function tickLeader(s: RaftState, nowMs: number): void {
  if (nowMs >= quorumDeadlineMs(s)) {
    resign(s, nowMs, 'Resigning: a majority of the voters is silent');
    return;
  }
  if (nowMs >= s.resignDeadlineMs) {
    resign(s, nowMs, 'Resigning without a successor: none took over in time');
    return;
  }
  for (const [key, progress] of s.replicas) {
    if (!progress.isVoter && nowMs - progress.lastContactMs >= s.limits.observerTimeoutMs) {
      s.replicas.delete(key);
      s.note('Dropped a silent observer', { observerId: progress.key.id });
      continue;
    }
    const lost = expireInFlight(progress, nowMs - s.limits.requestTimeoutMs);
    if (lost && progress.mode === 'replicate') becomeProbe(progress, progress.matchIndex + 1);
    sendAppends(s, progress, nowMs);
    // The same sum as in the deadline: a difference may round to just below, and the tick would never be done.
    if (nowMs >= progress.lastSentMs + s.limits.heartbeatMs) sendHeartbeat(s, progress, nowMs);
  }
  maybeHandOver(s, nowMs);
}

/** When the leader acts next without being asked. */
export function leaderDeadlineMs(s: RaftState): number {
  let deadline = Math.min(quorumDeadlineMs(s), s.resignDeadlineMs);
  for (const progress of s.replicas.values()) {
    deadline = Math.min(deadline, progress.lastSentMs + s.limits.heartbeatMs);
  }
  return deadline;
}

/** Check-quorum (thesis 6.2): the moment at which a majority, the leader included, was last heard too long ago. */
function quorumDeadlineMs(s: RaftState): number {
  const contacts = s.voters.map((voter) =>
    s.isSelf(voter)
      ? Number.POSITIVE_INFINITY
      : (s.replicas.get(keyOf(voter))?.lastContactMs ?? Number.NEGATIVE_INFINITY),
  );
  return reachedByMajority(contacts) + s.limits.checkQuorumMs;
}

/** A request failed for sure: go back to what is confirmed, and try again at the next heartbeat. */
export function onRequestFailed(progress: Progress, request: Request): void {
  progress.inFlight.delete(request);
  if (request.type === 'append' && progress.mode === 'replicate')
    becomeProbe(progress, progress.matchIndex + 1);
}

/** An observer asked for the log: push it there from now on. A voter needs no asking. */
export function registerObserver(s: RaftState, from: ReplicaKey, request: HelloRequest, nowMs: number): void {
  const key = keyOf(from);
  if (s.isVoterKey(from)) return;
  const known = s.replicas.get(key);
  if (known) {
    // It asks again because it restarted or lost touch: nothing that is still in flight counts.
    known.inFlight.clear();
    known.lastContactMs = nowMs;
    becomeProbe(known, known.matchIndex + 1);
    sendHeartbeat(s, known, nowMs);
    return;
  }
  const observers = [...s.replicas.values()].filter((progress) => !progress.isVoter).length;
  if (observers >= s.limits.observersMax) {
    s.note('Refused an observer: there are too many', { observerId: from.id, observers });
    return;
  }
  s.note('Registered an observer', { observerId: from.id, lastIndex: request.lastIndex });
  const progress = newProgress(from, false, Math.min(request.lastIndex, s.log.lastIndex) + 1, nowMs);
  s.replicas.set(key, progress);
  sendAppends(s, progress, nowMs);
}

/** The node wants to stop, or votes no longer: no more proposals, and a successor is asked to campaign. */
export function startResigning(s: RaftState, nowMs: number): void {
  if (s.role !== 'leader' || s.resignDeadlineMs !== Number.POSITIVE_INFINITY) return;
  if (s.voters.every((voter) => s.isSelf(voter))) {
    resign(s, nowMs, 'Resigning: this node stops, and it is the only voter');
    return;
  }
  s.note(
    s.isVoter
      ? 'Handing leadership over: this node stops'
      : 'Handing leadership over: this node is no voter any more',
  );
  s.resignDeadlineMs = nowMs + s.limits.handoverTimeoutMs;
  s.handoverAskedMs = Number.NEGATIVE_INFINITY;
  maybeHandOver(s, nowMs);
}

/** Asks a voter that has the whole log to campaign: one at a time, or two would split the vote. */
export function maybeHandOver(s: RaftState, nowMs: number): void {
  if (s.role !== 'leader' || s.resignDeadlineMs === Number.POSITIVE_INFINITY) return;
  if (nowMs < s.handoverAskedMs + s.limits.heartbeatMs) return;
  let successor: Progress | undefined;
  for (const progress of s.replicas.values()) {
    if (!progress.isVoter || progress.matchIndex < s.log.lastIndex) continue;
    if (!successor || progress.lastContactMs > successor.lastContactMs) successor = progress;
  }
  if (!successor) return;
  s.handoverAskedMs = nowMs;
  s.send(successor.key, { type: 'endEpoch', epoch: s.epoch }, { afterSync: false });
}
