/** The part of the image that belongs to consumer groups: epochs, members, target assignments, committed offsets. */

import { Map as ImmutableMap } from 'immutable';
import type { MetadataRecord, RecordOf, TopicPartitions } from './records.ts';

interface CommittedOffset {
  readonly offset: number;
  /** The epoch of the record before the offset; -1 when the client did not tell. */
  readonly leaderEpoch: number;
  readonly metadata: string;
  readonly commitTimestampMs: number;
}

export type GroupMemberImage = Omit<RecordOf<'GroupMember'>, 'type' | 'groupId'>;

export interface GroupImage {
  readonly id: string;
  readonly groupEpoch: number;
  readonly assignmentEpoch: number;
  readonly assignorName: string;
  /** When (wall clock) the last member left; -1 while the group has members, or never had any. */
  readonly emptySinceMs: number;
  /** By member id. */
  readonly members: ImmutableMap<string, GroupMemberImage>;
  /** What each member is to own in the end, by member id. */
  readonly targets: ImmutableMap<string, TopicPartitions>;
  /** By topic id, then partition. */
  readonly offsets: ImmutableMap<string, ImmutableMap<number, CommittedOffset>>;
}

type Groups = ImmutableMap<string, GroupImage>;
type Offsets = GroupImage['offsets'];

/** A record about a group. */
export type GroupRecord = Exclude<
  MetadataRecord,
  {
    type:
      | 'RegisterBroker'
      | 'BrokerChange'
      | 'OfflineReplicas'
      | 'Topic'
      | 'RemoveTopic'
      | 'Partition'
      | 'Config'
      | 'ProducerIds'
      | 'SnapshotHeader'
      | 'CatalogueLevel';
  }
>;

/** A group is there from the first record that names it, be it only an offset. */
export function applyGroupRecord(groups: Groups, record: GroupRecord): Groups {
  const before = groups.get(record.groupId) ?? emptyGroup(record.groupId);
  const after = applyToGroup(before, record);
  return after ? groups.set(record.groupId, after) : groups.delete(record.groupId);
}

function applyToGroup(group: GroupImage, record: GroupRecord): GroupImage | undefined {
  switch (record.type) {
    case 'Group': {
      const { groupEpoch, assignmentEpoch, assignorName, emptySinceMs } = record;
      return { ...group, groupEpoch, assignmentEpoch, assignorName, emptySinceMs };
    }
    case 'GroupMember': {
      const { type: _, groupId: __, ...member } = record;
      return { ...group, members: group.members.set(member.memberId, member) };
    }
    case 'RemoveGroupMember': {
      const { memberId } = record;
      return { ...group, members: group.members.delete(memberId), targets: group.targets.delete(memberId) };
    }
    case 'GroupTarget':
      return { ...group, targets: group.targets.set(record.memberId, record.partitions) };
    case 'RemoveGroup':
      return undefined;
    case 'GroupOffsets':
      return { ...group, offsets: withCommits(group.offsets, record.commits) };
    case 'RemoveGroupOffsets': {
      const left = group.offsets.get(record.topicId)?.delete(record.partition);
      const offsets = left?.size
        ? group.offsets.set(record.topicId, left)
        : group.offsets.delete(record.topicId);
      return { ...group, offsets };
    }
  }
}

/** The newest commit per partition wins. */
function withCommits(offsets: Offsets, commits: RecordOf<'GroupOffsets'>['commits']): Offsets {
  return offsets.withMutations((next) => {
    for (const { topicId, partition, ...committed } of commits) {
      const ofTopic = next.get(topicId) ?? ImmutableMap<number, CommittedOffset>();
      next.set(topicId, ofTopic.set(partition, committed));
    }
  });
}

/** Committed offsets go with the topic: a topic of the same name later is another one, from offset 0. */
export function withoutTopicOffsets(groups: Groups, topicId: string): Groups {
  return groups.map((group) =>
    group.offsets.has(topicId) ? { ...group, offsets: group.offsets.delete(topicId) } : group,
  );
}

function emptyGroup(id: string): GroupImage {
  return {
    id,
    groupEpoch: 0,
    assignmentEpoch: 0,
    assignorName: '',
    emptySinceMs: -1,
    members: ImmutableMap(),
    targets: ImmutableMap(),
    offsets: ImmutableMap(),
  };
}
