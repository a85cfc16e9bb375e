/**
 * One group while a decision is made: a draft of its image that can be changed, and the records that lead from the
 * image to the draft. Whatever is the same afterwards is not written.
 */

import type { GroupImage, GroupMemberImage } from '../metadata/group-image.ts';
import type { MetadataRecord, RecordOf } from '../metadata/records.ts';
import { ASSIGNORS, type AssignorMember, assignUniform, DEFAULT_ASSIGNOR } from './assignors.ts';
import { NO_PARTITIONS, type PartitionKey, parseKey, sameKeys, toKeys, toTopics } from './partitions.ts';
import type { Holding } from './reconcile.ts';

export interface Member extends Holding {
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly clientId: string;
  readonly clientHost: string;
  readonly rebalanceTimeoutMs: number;
  readonly serverAssignor: string | null;
  readonly subscribedTopicNames: readonly string[];
}

/** What of the cluster's topics a group needs to know. */
export interface TopicsView {
  topicByName(
    name: string,
  ): { readonly id: string; readonly partitions: { readonly length: number } } | undefined;
}

type Targets = ReadonlyMap<string, ReadonlySet<PartitionKey>>;
type Members = ReadonlyMap<string, Member>;

export class Group {
  readonly groupId: string;
  epoch: number;
  assignorName: string;
  /** When the last member left, by the wall clock; -1 while there are members. */
  emptySinceMs: number;
  #members: Members;
  #targets: Targets;
  readonly #image: GroupImage | undefined;
  readonly #before: { readonly members: Members; readonly targets: Targets };

  constructor(groupId: string, image: GroupImage | undefined) {
    this.groupId = groupId;
    this.#image = image;
    this.#before = { members: membersOf(image), targets: targetsOf(image) };
    this.epoch = image?.groupEpoch ?? 0;
    this.assignorName = image?.assignorName ?? '';
    this.emptySinceMs = image?.emptySinceMs ?? -1;
    this.#members = this.#before.members;
    this.#targets = this.#before.targets;
  }

  target(memberId: string): ReadonlySet<PartitionKey> {
    return this.#targets.get(memberId) ?? NO_PARTITIONS;
  }

  get members(): Members {
    return this.#members;
  }

  /** Adds or replaces a member. */
  put(member: Member): void {
    if (this.#members.get(member.memberId) === member) return;
    this.#members = new Map(this.#members).set(member.memberId, member);
  }

  /** Whether the member was there. */
  remove(memberId: string): boolean {
    const members = new Map(this.#members);
    this.#members = members;
    return members.delete(memberId);
  }

  /** What members other than `memberId` hold, be it only until they confirm that they gave it up. */
  heldByOthers(memberId: string): Set<PartitionKey> {
    const held = new Set<PartitionKey>();
    for (const other of this.members.values()) {
      if (other.memberId === memberId) continue;
      for (const key of other.assigned) held.add(key);
      for (const key of other.pendingRevocation) held.add(key);
    }
    return held;
  }

  /** Begins a new group epoch and computes its target. */
  rebalance(topics: TopicsView, wallMs: number): void {
    this.epoch += 1;
    if (this.members.size === 0) {
      this.#targets = new Map();
      this.emptySinceMs = wallMs;
      return;
    }
    this.emptySinceMs = -1;
    this.assignorName = this.#electAssignor();
    const counts = this.#partitionCounts(topics);
    const idOf = (name: string) => topics.topicByName(name)?.id;
    const members = [...this.members.values()].map(
      ({ memberId, subscribedTopicNames }): AssignorMember => ({
        memberId,
        topicIds: new Set(subscribedTopicNames.map(idOf).filter((id) => id !== undefined)),
        previous: this.target(memberId),
      }),
    );
    this.#targets = (ASSIGNORS.get(this.assignorName) ?? assignUniform)(members, counts);
  }

  /** Whether the target misses a partition of a subscribed topic, or has one that is gone: topics changed since. */
  isTargetStale(topics: TopicsView): boolean {
    const counts = this.#partitionCounts(topics);
    let missing = 0;
    for (const count of counts.values()) missing += count;
    for (const keys of this.#targets.values()) {
      for (const key of keys) {
        const { topicId, partition } = parseKey(key);
        if (partition >= (counts.get(topicId) ?? 0)) return true;
        missing -= 1;
      }
    }
    return missing !== 0;
  }

  /** The records that make the draft the truth. */
  records(): MetadataRecord[] {
    const { groupId } = this;
    const records: MetadataRecord[] = [];
    if (this.members === this.#before.members && this.#targets === this.#before.targets) return records;
    if (
      !this.#image ||
      this.epoch !== this.#image.groupEpoch ||
      this.assignorName !== this.#image.assignorName
    ) {
      records.push({
        type: 'Group',
        groupId,
        groupEpoch: this.epoch,
        // The target is computed with the epoch that asks for it, never later.
        assignmentEpoch: this.epoch,
        assignorName: this.assignorName,
        emptySinceMs: this.emptySinceMs,
      });
    }
    for (const memberId of this.#before.members.keys()) {
      if (!this.members.has(memberId)) records.push({ type: 'RemoveGroupMember', groupId, memberId });
    }
    for (const [memberId, member] of this.members) {
      if (this.#before.members.get(memberId) !== member) records.push(memberRecord(groupId, member));
      const target = this.target(memberId);
      const before = this.#before.targets.get(memberId);
      if (before && sameKeys(before, target)) continue;
      records.push({ type: 'GroupTarget', groupId, memberId, partitions: toTopics(target) });
    }
    return records;
  }

  #partitionCounts(topics: TopicsView): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { subscribedTopicNames } of this.members.values()) {
      for (const name of subscribedTopicNames) {
        const topic = topics.topicByName(name);
        if (topic) counts.set(topic.id, topic.partitions.length);
      }
    }
    return counts;
  }

  /** The assignor that most members ask for; among equals, the first by name. */
  #electAssignor(): string {
    const votes = new Map<string, number>();
    for (const { serverAssignor } of this.members.values()) {
      const name = serverAssignor ?? DEFAULT_ASSIGNOR;
      votes.set(name, (votes.get(name) ?? 0) + 1);
    }
    const [winner] = [...votes].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
    return winner?.[0] ?? DEFAULT_ASSIGNOR;
  }
}

function memberRecord(groupId: string, member: Member): RecordOf<'GroupMember'> {
  const { assigned, pendingRevocation, subscribedTopicNames, ...rest } = member;
  return {
    type: 'GroupMember',
    groupId,
    ...rest,
    subscribedTopicNames: [...subscribedTopicNames],
    assignedPartitions: toTopics(assigned),
    partitionsPendingRevocation: toTopics(pendingRevocation),
  };
}

// Images are immutable, so what was read out of one once stays right: heartbeats of a group that does not change
// cost no conversion.
const membersRead = new WeakMap<object, Members>();
const targetsRead = new WeakMap<object, Targets>();

function membersOf(image: GroupImage | undefined): Members {
  if (!image) return new Map();
  let members = membersRead.get(image.members);
  if (!members) {
    members = new Map(
      [...image.members.values()]
        .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
        .map((member) => [member.memberId, memberOf(member)]),
    );
    membersRead.set(image.members, members);
  }
  return members;
}

function targetsOf(image: GroupImage | undefined): Targets {
  if (!image) return new Map();
  let targets = targetsRead.get(image.targets);
  if (!targets) {
    targets = new Map([...image.targets].map(([memberId, partitions]) => [memberId, toKeys(partitions)]));
    targetsRead.set(image.targets, targets);
  }
  return targets;
}

function memberOf(image: GroupMemberImage): Member {
  const { assignedPartitions, partitionsPendingRevocation, ...rest } = image;
  return {
    ...rest,
    assigned: toKeys(assignedPartitions),
    pendingRevocation: toKeys(partitionsPendingRevocation),
  };
}
