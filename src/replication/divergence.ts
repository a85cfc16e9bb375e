/**
 * Where two logs part (KIP-101, KIP-279, KIP-595). A fetcher names its log end and the epoch of its last record; the
 * leader answers where its own log leaves that; the fetcher truncates and asks again, until both agree. High
 * watermarks play no part: a follower's is older than what was acknowledged.
 */

import type { EpochEnd, LogView } from './types.ts';

type EpochLog = Pick<LogView, 'logStartOffset' | 'latestEpoch' | 'endOffsetForEpoch'>;

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
  const known = endOfEpoch(log, lastFetchedEpoch);
  const agrees = known.epoch === lastFetchedEpoch && known.endOffset >= fetchOffset;
  return agrees ? undefined : known;
}

/**
 * The fetcher's side: what to truncate to, given the leader's answer. Each round removes at least one epoch, or all
 * beyond the leader's end of it, so both agree in the end.
 */
export function truncationOffset(log: EpochLog, leaderEnd: EpochEnd): number {
  const own = endOfEpoch(log, leaderEnd.epoch);
  return Math.max(log.logStartOffset, Math.min(own.endOffset, leaderEnd.endOffset));
}

/** Where the records of `epoch` and earlier ones end in this log; at its start when it has none of them. */
function endOfEpoch(log: EpochLog, epoch: number): EpochEnd {
  const known = log.endOffsetForEpoch(Math.min(epoch, log.latestEpoch));
  return known.epoch >= 0 ? known : { epoch, endOffset: log.logStartOffset };
}
