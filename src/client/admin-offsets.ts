/** Moves the committed offsets of a group that nobody is a member of. */

import { KafkaError } from '../protocol/errors.ts';
import type { Cluster } from './cluster.ts';
import type { PartitionOffset } from './consumer-options.ts';
import { ClientError } from './errors.ts';
import { type Commit, OffsetCommitter } from './offset-committer.ts';

/** An administrator is no member of the group. */
const NOBODY = { memberId: '', epoch: -1, instanceId: null };

/** Commits these offsets for `group` by the deadline (monotonic). A group with members is NON_EMPTY_GROUP. */
export async function alterGroupOffsets(
  cluster: Cluster,
  group: string,
  offsets: readonly PartitionOffset[],
  deadlineMs: number,
): Promise<void> {
  const commits: Commit[] = [];
  for (const { topic, partition, offset, leaderEpoch = -1, metadata = null } of offsets) {
    const { topicId } = await cluster.topic(topic, deadlineMs);
    commits.push({ topicId, partition, offset, leaderEpoch, metadata });
  }
  try {
    await new OffsetCommitter(cluster, group, () => NOBODY).commit(commits, deadlineMs);
  } catch (error) {
    if (!(error instanceof ClientError && error.code === 'COMMIT_FAILED')) throw error;
    const message = `group ${group} has members, whose own commits would undo this; stop them first`;
    throw new KafkaError('NON_EMPTY_GROUP', message, { cause: error });
  }
}
