/** Committed offsets: who may commit, what is read, what expires. Pure functions over the image. */

import type { GroupImage } from '../metadata/group-image.ts';
import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord, RecordOf } from '../metadata/records.ts';
import { ERROR_CODE, KafkaError } from '../protocol/errors.ts';
import type { OffsetCommitRequest, OffsetCommitResponse } from '../protocol/messages/offset-commit.ts';
import type { OffsetFetchRequest, OffsetFetchResponse } from '../protocol/messages/offset-fetch.ts';
import type { GroupLimits } from './limits.ts';
import { checkGroupId } from './validate.ts';

type Commit = RecordOf<'GroupOffsets'>['commits'][number];
type AskedGroup = OffsetFetchRequest['groups'][number];
type FoundGroup = OffsetFetchResponse['groups'][number];

/** The epoch of a commit or fetch by someone who is no member. */
const NO_EPOCH = -1;

/**
 * The commits of a request that are accepted, and its response. Throws a `KafkaError` when it is refused whole. What
 * was committed by a member that has been fenced since is never accepted: its epoch is old.
 */
export function decideCommit(
  image: MetadataImage,
  request: OffsetCommitRequest,
  wallMs: number,
  limits: GroupLimits,
): { commits: Commit[]; response: OffsetCommitResponse } {
  checkGroupId(request.groupId, limits);
  checkCommitter(image.groups.get(request.groupId), request);
  const commits: Commit[] = [];
  const topics = request.topics.map(({ topicId, partitions }) => {
    const partitionCount = image.topics.get(topicId)?.partitions.length;
    const answers = partitions.map((asked) => {
      const errorCode = ERROR_CODE[commitProblem(asked, partitionCount, limits)];
      if (errorCode === ERROR_CODE.NONE) {
        commits.push({
          topicId,
          partition: asked.partitionIndex,
          offset: asked.committedOffset,
          leaderEpoch: asked.committedLeaderEpoch,
          metadata: asked.committedMetadata ?? '',
          commitTimestampMs: wallMs,
        });
      }
      return { partitionIndex: asked.partitionIndex, errorCode };
    });
    return { topicId, partitions: answers };
  });
  return { commits, response: { throttleTimeMs: 0, topics } };
}

/** The response that gives every partition of the request one error. */
export function refuseCommit(request: OffsetCommitRequest, errorCode: number): OffsetCommitResponse {
  const topics = request.topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
  }));
  return { throttleTimeMs: 0, topics };
}

function checkCommitter(group: GroupImage | undefined, request: OffsetCommitRequest): void {
  const { memberId, generationIdOrMemberEpoch: epoch } = request;
  if (request.groupInstanceId !== null)
    throw new KafkaError('INVALID_REQUEST', 'static membership (group.instance.id) is not supported');
  // Consumers with manual assignment, and tools, commit while no member could be consuming.
  if (epoch < 0 && memberId === '' && (group?.members.size ?? 0) === 0) return;
  checkMember(group, memberId, epoch);
}

function checkMember(group: GroupImage | undefined, memberId: string, epoch: number): void {
  const member = group?.members.get(memberId);
  if (!member) throw new KafkaError('UNKNOWN_MEMBER_ID');
  if (epoch === member.memberEpoch) return;
  throw new KafkaError('STALE_MEMBER_EPOCH', `the member is in epoch ${member.memberEpoch}, not ${epoch}`);
}

function commitProblem(
  asked: OffsetCommitRequest['topics'][number]['partitions'][number],
  partitionCount: number | undefined,
  limits: GroupLimits,
) {
  if (partitionCount === undefined) return 'UNKNOWN_TOPIC_ID';
  if (asked.partitionIndex < 0 || asked.partitionIndex >= partitionCount) return 'UNKNOWN_TOPIC_OR_PARTITION';
  if (asked.committedOffset < 0) return 'INVALID_REQUEST';
  if ((asked.committedMetadata?.length ?? 0) > limits.offsetMetadataBytesMax)
    return 'OFFSET_METADATA_TOO_LARGE';
  return 'NONE';
}

/** The committed offsets of one group; -1 where nothing was committed. */
export function fetchOffsets(image: MetadataImage, asked: AskedGroup): FoundGroup {
  const { groupId, memberId, memberEpoch } = asked;
  const group = image.groups.get(groupId);
  if (memberEpoch !== NO_EPOCH || memberId) {
    try {
      checkMember(group, memberId ?? '', memberEpoch);
    } catch (error) {
      if (error instanceof KafkaError) return { groupId, topics: [], errorCode: error.errorCode };
      throw error;
    }
  }
  const wanted = asked.topics ?? allPartitions(group);
  const topics = wanted.map(({ topicId, partitionIndexes }) => ({
    topicId,
    partitions: partitionIndexes.map((partitionIndex) => {
      const found = group?.offsets.get(topicId)?.get(partitionIndex);
      return {
        partitionIndex,
        committedOffset: found?.offset ?? -1,
        committedLeaderEpoch: found?.leaderEpoch ?? -1,
        metadata: found?.metadata ?? '',
        errorCode: image.topics.has(topicId) ? ERROR_CODE.NONE : ERROR_CODE.UNKNOWN_TOPIC_ID,
      };
    }),
  }));
  return { groupId, topics, errorCode: ERROR_CODE.NONE };
}

function allPartitions(group: GroupImage | undefined): { topicId: string; partitionIndexes: number[] }[] {
  if (!group) return [];
  return [...group.offsets]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([topicId, partitions]) => ({
      topicId,
      partitionIndexes: [...partitions.keys()].sort((a, b) => a - b),
    }));
}

/**
 * What has to go: offsets of groups that have been without members for the retention time, offsets of topics that
 * are gone, and groups of which nothing is left.
 */
export function expiredOffsets(image: MetadataImage, wallMs: number, limits: GroupLimits): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  for (const group of [...image.groups.values()].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    let kept = 0;
    for (const { topicId, partitionIndexes } of allPartitions(group)) {
      for (const partition of partitionIndexes) {
        const committedAtMs = group.offsets.get(topicId)?.get(partition)?.commitTimestampMs ?? 0;
        const idleMs = wallMs - Math.max(committedAtMs, group.emptySinceMs);
        const expired = group.members.size === 0 && idleMs >= limits.offsetsRetentionMs;
        if (!expired && image.topics.has(topicId)) kept++;
        else records.push({ type: 'RemoveGroupOffsets', groupId: group.id, topicId, partition });
      }
    }
    if (kept === 0 && group.members.size === 0) records.push({ type: 'RemoveGroup', groupId: group.id });
  }
  return records;
}
