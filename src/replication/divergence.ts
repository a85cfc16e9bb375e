/**
 * Where two logs part (KIP-101, KIP-279, KIP-595). A fetcher names its log end and the epoch of its last record; the
 * leader answers where its own log leaves that; the fetcher truncates and asks again, until both agree. High
 * watermarks play no part: a follower's is older than what was acknowledged.
 */

import type { EpochEnd, LogView } from './types.ts';

type EpochLog = Pick<LogView, 'logStartOffset' | 'logEndOffset' | 'endOffsetForEpoch'>;

/**
 * The leader's side: `undefined` when a fetcher whose log ends at `fetchOffset` with a record of `lastFetchedEpoch` has a
 * prefix of this log; else the largest epoch at or below the fetcher's that this log knows, and where it ends here.
 */
export function findDivergence(
  log: EpochLog,
  fetchOffset: number,
  lastFetchedEpoch: number,
): EpochEnd | undefined {
  if (lastFetchedEpoch < 0) return undefined;
  const known = log.endOffsetForEpoch(lastFetchedEpoch);
  if (known.epoch < 0) {
    // Every record here is of a later epoch: what the fetcher has ends, at the latest, where this log starts.
    return fetchOffset > log.logStartOffset
      ? { epoch: lastFetchedEpoch, endOffset: log.logStartOffset }
      : undefined;
  }
  const agrees = known.epoch === lastFetchedEpoch && known.endOffset >= fetchOffset;
  return agrees ? undefined : known;
}

/** The fetcher's side: what to truncate to, given the leader's answer. Always below the log end, so it ends. */
export function truncationOffset(log: EpochLog, leaderEnd: EpochEnd): number {
  const own = log.endOffsetForEpoch(leaderEnd.epoch);
  // Nothing of the leader's epoch or an older one here: all of this log is of epochs that the leader never had.
  if (own.epoch < 0) return log.logStartOffset;
  return Math.max(log.logStartOffset, Math.min(own.endOffset, leaderEnd.endOffset));
}
