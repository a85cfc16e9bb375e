import { reachedByMajority } from './progress.ts';
import type { RaftState } from './state.ts';
import { keyOf } from './types.ts';

/** What this leader counts itself for: what its own disk holds, not what it has in memory. */
function ownMatchIndex(s: RaftState): number {
  return s.log.syncedIndex;
}

/** Moves the commit index to what a majority of voters has on disk. Returns whether it moved. */
export function maybeCommit(s: RaftState): boolean {
  const matches = s.voters.map((voter) =>
    s.isSelf(voter) ? ownMatchIndex(s) : (s.replicas.get(keyOf(voter))?.matchIndex ?? 0),
  );
  const index = reachedByMajority(matches);
  if (index <= s.commitIndex) return false;
  // Raft 5.4.2: an entry of an older epoch is committed only beneath one of this epoch, never by counting (figure 8).
  if (s.log.epochAt(index) !== s.epoch) return false;
  s.setCommitIndex(index);
  s.needsFlush = true;
  if (!s.noOpCommitted && index >= s.epochStartIndex) {
    s.noOpCommitted = true;
    s.emit({ kind: 'leading', epoch: s.epoch, index: s.epochStartIndex });
  }
  return true;
}
