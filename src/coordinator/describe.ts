/** What admin clients ask about groups. Pure functions over the image. */

import type { GroupImage } from '../metadata/group-image.ts';
import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord, TopicPartitions } from '../metadata/records.ts';
import { ERROR_CODE } from '../protocol/errors.ts';
import type { ConsumerGroupDescribeResponse } from '../protocol/messages/consumer-group-describe.ts';
import type { DeleteGroupsResponse } from '../protocol/messages/delete-groups.ts';
import type { ListGroupsRequest, ListGroupsResponse } from '../protocol/messages/list-groups.ts';

type DescribedGroup = ConsumerGroupDescribeResponse['groups'][number];
type GroupState = 'Empty' | 'Reconciling' | 'Stable';

/** Groups of this protocol have one type (KIP-848). */
const GROUP_TYPE = 'consumer';

export function stateOf(group: GroupImage): GroupState {
  if (group.members.size === 0) return 'Empty';
  for (const member of group.members.values()) {
    const wanted = countOf(group.targets.get(member.memberId) ?? []);
    const settled =
      member.memberEpoch === group.groupEpoch &&
      member.partitionsPendingRevocation.length === 0 &&
      countOf(member.assignedPartitions) === wanted;
    if (!settled) return 'Reconciling';
  }
  return 'Stable';
}

export function listGroups(image: MetadataImage, request: ListGroupsRequest): ListGroupsResponse {
  const states = new Set(request.statesFilter.map((state) => state.toLowerCase()));
  const types = new Set(request.typesFilter.map((type) => type.toLowerCase()));
  const groups = [...image.groups.values()]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((group) => ({
      groupId: group.id,
      protocolType: 'consumer',
      groupState: stateOf(group),
      groupType: GROUP_TYPE,
    }))
    .filter(({ groupState }) => states.size === 0 || states.has(groupState.toLowerCase()))
    .filter(({ groupType }) => types.size === 0 || types.has(groupType));
  return { throttleTimeMs: 0, errorCode: ERROR_CODE.NONE, groups };
}

export function describeGroup(image: MetadataImage, groupId: string): DescribedGroup {
  const group = image.groups.get(groupId);
  const head = {
    groupId,
    errorMessage: null,
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    members: [],
  };
  if (!group) return { ...head, errorCode: ERROR_CODE.GROUP_ID_NOT_FOUND, groupState: 'Dead' };
  const named = (topics: TopicPartitions) =>
    topics.map(({ topicId, partitions }) => ({
      topicId,
      topicName: image.topics.get(topicId)?.name ?? '',
      partitions: [...partitions],
    }));
  return {
    ...head,
    errorCode: ERROR_CODE.NONE,
    groupState: stateOf(group),
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: group.assignorName,
    members: [...group.members.values()]
      .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
      .map((member) => ({
        memberId: member.memberId,
        instanceId: member.instanceId,
        rackId: member.rackId,
        memberEpoch: member.memberEpoch,
        clientId: member.clientId,
        clientHost: member.clientHost,
        subscribedTopicNames: [...member.subscribedTopicNames],
        assignment: named(member.assignedPartitions),
        targetAssignment: named(group.targets.get(member.memberId) ?? []),
      })),
  };
}

/** Removes empty groups with all their offsets. */
export function decideDeleteGroups(
  image: MetadataImage,
  groupIds: readonly string[],
): { records: MetadataRecord[]; response: DeleteGroupsResponse } {
  const records: MetadataRecord[] = [];
  const results = [...new Set(groupIds)].map((groupId) => {
    const group = image.groups.get(groupId);
    if (!group) return { groupId, errorCode: ERROR_CODE.GROUP_ID_NOT_FOUND };
    if (group.members.size > 0) return { groupId, errorCode: ERROR_CODE.NON_EMPTY_GROUP };
    records.push({ type: 'RemoveGroup', groupId });
    return { groupId, errorCode: ERROR_CODE.NONE };
  });
  return { records, response: { throttleTimeMs: 0, results } };
}

function countOf(topics: TopicPartitions): number {
  return topics.reduce((sum, { partitions }) => sum + partitions.length, 0);
}
