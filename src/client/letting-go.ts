/** How a consumer takes its leave: of its partitions, and of its group. */

import type { ConsumerCommits } from './consumer-commits.ts';
import type { FetchPositions } from './fetch-positions.ts';
import type { GroupMembership } from './group-membership.ts';
import { atMostUntil, type ClientRuntime } from './rpc.ts';

/** What a consumer has to let go of. */
export interface Holdings {
  readonly positions: FetchPositions;
  readonly commits: ConsumerCommits;
  readonly membership: GroupMembership | undefined;
}

/**
 * Commits (if automatic) what is done, tells the listener, drops all partitions and leaves the group. Every step is taken,
 * but none is waited for beyond the deadline (monotonic): brokers may be out of reach, and answer much later or never.
 */
export async function letGo(
  runtime: ClientRuntime,
  deadlineMs: number,
  { positions, commits, membership }: Holdings,
): Promise<void> {
  const inTime = (step: Promise<void>) => atMostUntil(runtime, deadlineMs, step);
  const owned = [...positions.all()];
  try {
    await inTime(commits.commitDone(owned, deadlineMs));
    const names = owned.map(({ topic, partition }) => ({ topic, partition }));
    if (membership && names.length > 0) await inTime(membership.revokeAll(names));
    await inTime(commits.settled());
  } finally {
    for (const state of [...positions.all()]) positions.remove(state);
    if (membership) await inTime(membership.leave(deadlineMs));
  }
}
