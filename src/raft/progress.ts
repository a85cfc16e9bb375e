import type { ReplicaKey, Request, SnapshotMeta } from './types.ts';

/**
 * - `probe`: one append at a time, to find where the logs agree;
 * - `replicate`: appends are pipelined, `nextIndex` runs ahead of what is confirmed;
 * - `snapshot`: the entries it needs are gone; chunks of a snapshot go out one at a time.
 */
type ProgressMode = 'probe' | 'replicate' | 'snapshot';

/** What a leader knows of one other replica. */
export interface Progress {
  readonly key: ReplicaKey;
  /** By the leader's voter set: a promoted observer keeps its progress, and so does a removed voter. */
  isVoter: boolean;
  mode: ProgressMode;
  /** Durable on that replica and equal to this log up to here. */
  matchIndex: number;
  /** The next entry to send. */
  nextIndex: number;
  /** Requests without an answer yet: when each was sent, and `matchIndex` then. */
  readonly inFlight: Map<Request, { readonly sentMs: number; readonly matchIndex: number }>;
  /** Any answer proves that the replica is alive and follows this epoch. */
  lastContactMs: number;
  lastSentMs: number;
  /** The commit index that it was last told. */
  sentCommitIndex: number;
  transfer: { readonly snapshot: SnapshotMeta; position: number } | undefined;
}

export function newProgress(key: ReplicaKey, isVoter: boolean, nextIndex: number, nowMs: number): Progress {
  return {
    key,
    isVoter,
    mode: 'probe',
    matchIndex: 0,
    nextIndex,
    inFlight: new Map(),
    lastContactMs: nowMs,
    lastSentMs: Number.NEGATIVE_INFINITY,
    sentCommitIndex: 0,
    transfer: undefined,
  };
}

/** Goes back to what is confirmed: something sent was lost, or the replica answered with a conflict. */
export function becomeProbe(progress: Progress, nextIndex: number): void {
  progress.mode = 'probe';
  progress.transfer = undefined;
  progress.nextIndex = Math.max(nextIndex, progress.matchIndex + 1);
}

/** Forgets requests that were answered by nobody for too long; says whether there were any. */
export function expireInFlight(progress: Progress, sentBeforeMs: number): boolean {
  let expired = false;
  for (const [request, { sentMs }] of progress.inFlight) {
    if (sentMs > sentBeforeMs) continue;
    progress.inFlight.delete(request);
    expired = true;
  }
  return expired;
}

/** The value that a majority has reached, given one value per voter, which get sorted. */
export function reachedByMajority(values: number[]): number {
  values.sort((a, b) => b - a);
  return values[Math.floor(values.length / 2)] ?? 0;
}
