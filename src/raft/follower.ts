import { adoptEpoch, followLeader } from './election.ts';
import type { RaftState } from './state.ts';
import type { AppendRequest, AppendResponse, Entry, ReplicaKey } from './types.ts';

/** Takes entries (or a heartbeat) from the leader of an epoch. Raft 5.3. */
export function onAppendRequest(
  s: RaftState,
  from: ReplicaKey,
  request: AppendRequest,
  token: number,
  nowMs: number,
): void {
  if (request.epoch < s.epoch) {
    refuse(s, token, 0, 0);
    return;
  }
  adoptEpoch(s, request.epoch, nowMs);
  followLeader(s, from.id, nowMs);

  // Everything committed equals the leader's log by leader completeness, also what a snapshot replaced here.
  const news = request.entries.filter((entry) => entry.index > s.commitIndex);
  if (request.prevIndex > s.commitIndex && s.log.epochAt(request.prevIndex) !== request.prevEpoch) {
    const hint = s.log.lastAtOrBefore(request.prevIndex, request.prevEpoch);
    refuse(s, token, hint.index, hint.epoch);
    return;
  }
  checkCommitted(s, request.entries);
  appendMissing(s, news);
  if (news.length > 0) s.incoming = undefined;

  const agreed = Math.min(request.prevIndex + request.entries.length, s.log.lastIndex);
  if (Math.min(request.commitIndex, agreed) > s.commitIndex) {
    s.setCommitIndex(Math.min(request.commitIndex, agreed));
  }
  acknowledge(s, token, agreed, request.entries.length > 0);
}

/** Leader completeness (Raft 5.4): no leader ever holds another entry where this node knows one to be committed. */
function checkCommitted(s: RaftState, entries: readonly Entry[]): void {
  for (const { index, epoch } of entries) {
    const own = index <= s.commitIndex ? s.log.epochAt(index) : undefined;
    if (own !== undefined && own !== epoch) {
      throw new Error(
        `the leader of epoch ${s.epoch} would replace committed entry ${index} of epoch ${own} by one of ${epoch}`,
      );
    }
  }
}

/** Appends what is not there yet; an entry of another epoch at the same index ends the old branch. */
function appendMissing(s: RaftState, entries: readonly Entry[]): void {
  const firstNew = entries.findIndex((entry) => s.log.epochAt(entry.index) !== entry.epoch);
  if (firstNew < 0) return;
  const missing = entries.slice(firstNew);
  const first = missing[0]?.index ?? 0;
  if (first <= s.log.lastIndex) {
    s.note('Truncating a branch that was never committed', { fromIndex: first, lastIndex: s.log.lastIndex });
    s.log.truncateAfter(first - 1);
  }
  s.log.append(missing);
  s.settleRole();
}

/**
 * Says how far the logs agree. Entries are acknowledged once they are on the disk. A heartbeat is answered at once, so
 * that a slow disk does not look like a dead follower, and claims no more than what is on the disk already.
 */
function acknowledge(s: RaftState, token: number, agreed: number, hasEntries: boolean): void {
  const afterSync = !s.isEpochSynced || (hasEntries && agreed > s.log.syncedIndex);
  const matchIndex = afterSync ? agreed : Math.min(agreed, s.log.syncedIndex);
  const response: AppendResponse = {
    type: 'append',
    epoch: s.epoch,
    success: true,
    matchIndex,
    conflictIndex: 0,
    conflictEpoch: 0,
  };
  s.reply(token, response, { afterSync });
}

function refuse(s: RaftState, token: number, conflictIndex: number, conflictEpoch: number): void {
  const response: AppendResponse = {
    type: 'append',
    epoch: s.epoch,
    success: false,
    matchIndex: 0,
    conflictIndex,
    conflictEpoch,
  };
  s.reply(token, response, { afterSync: !s.isEpochSynced });
}
