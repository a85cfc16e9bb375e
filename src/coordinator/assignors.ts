/**
 * Server-side assignors (KIP-848): who should own which partition once the group has settled. Pure functions of the
 * members, the topics and the previous target.
 */

import { type PartitionKey, partitionKey } from './partitions.ts';

export interface AssignorMember {
  readonly memberId: string;
  /** Ids of the topics that exist and that the member subscribed to. */
  readonly topicIds: ReadonlySet<string>;
  /** What the last target gave the member. */
  readonly previous: ReadonlySet<PartitionKey>;
}

/** Topic id -> number of partitions. */
export type PartitionCounts = ReadonlyMap<string, number>;
export type Assignor = (
  members: readonly AssignorMember[],
  counts: PartitionCounts,
) => Map<string, Set<PartitionKey>>;

/** The names that a member may ask for; the first is the default. */
export const ASSIGNORS: ReadonlyMap<string, Assignor> = new Map([
  ['uniform', assignUniform],
  ['range', assignRange],
]);
export const DEFAULT_ASSIGNOR = 'uniform';

/** Per topic, contiguous runs to the members in order of their ids: partition i of equal topics meets in one member. */
export function assignRange(
  members: readonly AssignorMember[],
  counts: PartitionCounts,
): Map<string, Set<PartitionKey>> {
  const target = emptyTarget(members);
  for (const [topicId, count] of inOrder(counts)) {
    const subscribers = byId(members).filter((member) => member.topicIds.has(topicId));
    let partition = 0;
    for (const [rank, { memberId }] of subscribers.entries()) {
      const share = Math.floor(count / subscribers.length) + (rank < count % subscribers.length ? 1 : 0);
      for (const end = partition + share; partition < end; partition++) {
        target.get(memberId)?.add(partitionKey(topicId, partition));
      }
    }
  }
  return target;
}

/** Even within one partition (among members with equal subscriptions), and no partition moves that need not. */
export function assignUniform(
  members: readonly AssignorMember[],
  counts: PartitionCounts,
): Map<string, Set<PartitionKey>> {
  if (members.length === 0) return new Map();
  const first = members[0];
  const homogeneous = members.every(
    (member) =>
      first && member.topicIds.size === first.topicIds.size && isSameSet(member.topicIds, first.topicIds),
  );
  return homogeneous ? assignEqual(members, counts) : assignMixed(members, counts);
}

/** All members subscribe to the same topics: each keeps up to its quota, the rest is dealt out in turn. */
function assignEqual(
  members: readonly AssignorMember[],
  counts: PartitionCounts,
): Map<string, Set<PartitionKey>> {
  const target = emptyTarget(members);
  const free = new Set(subscribedPartitions(members, counts).keys());
  const quota = Math.floor(free.size / members.length);
  let extras = free.size % members.length;
  const held = retained(members, free);
  // Those that hold most get the extra partitions, so that none moves for their sake.
  const ranked = byId(members).sort((a, b) => sizeOf(held, b) - sizeOf(held, a));
  const quotas = new Map(ranked.map(({ memberId }) => [memberId, quota + (extras-- > 0 ? 1 : 0)]));
  for (const { memberId } of ranked) {
    for (const key of held.get(memberId) ?? []) {
      if (sizeOf(target, { memberId }) >= (quotas.get(memberId) ?? 0)) break;
      target.get(memberId)?.add(key);
      free.delete(key);
    }
  }
  let open = ranked.filter((member) => sizeOf(target, member) < (quotas.get(member.memberId) ?? 0)).reverse();
  let turn = 0;
  for (const key of free) {
    const member = open[turn % open.length];
    if (!member) break;
    target.get(member.memberId)?.add(key);
    if (sizeOf(target, member) < (quotas.get(member.memberId) ?? 0)) turn++;
    else open = open.filter((other) => other !== member);
  }
  return target;
}

/** Subscriptions differ: deal to the least loaded subscriber, then level while a move helps. */
function assignMixed(
  members: readonly AssignorMember[],
  counts: PartitionCounts,
): Map<string, Set<PartitionKey>> {
  const sorted = byId(members);
  const subscribers = new Map<string, AssignorMember[]>();
  for (const member of sorted) {
    for (const topicId of member.topicIds) {
      const known = subscribers.get(topicId);
      if (known) known.push(member);
      else subscribers.set(topicId, [member]);
    }
  }
  const partitions = subscribedPartitions(members, counts);
  const target = retained(members, partitions);
  const owners = new Map<PartitionKey, string>();
  for (const [memberId, keys] of target) for (const key of keys) owners.set(key, memberId);

  const leastLoaded = (topicId: string) =>
    (subscribers.get(topicId) ?? []).reduce<AssignorMember | undefined>(
      (least, member) => (least && sizeOf(target, least) <= sizeOf(target, member) ? least : member),
      undefined,
    );
  for (const [key, topicId] of partitions) {
    const member = owners.has(key) ? undefined : leastLoaded(topicId);
    if (!member) continue;
    target.get(member.memberId)?.add(key);
    owners.set(key, member.memberId);
  }
  // Each move lowers the sum of the squared loads, so this ends.
  for (let moved = true; moved; ) {
    moved = false;
    for (const [key, topicId] of partitions) {
      const from = owners.get(key);
      const to = leastLoaded(topicId);
      if (from === undefined || !to) continue;
      if (sizeOf(target, { memberId: from }) < sizeOf(target, to) + 2) continue;
      target.get(from)?.delete(key);
      target.get(to.memberId)?.add(key);
      owners.set(key, to.memberId);
      moved = true;
    }
  }
  return target;
}

/** What each member may keep of its previous target; no partition twice. */
function retained(
  members: readonly AssignorMember[],
  existing: { has(key: PartitionKey): boolean },
): Map<string, Set<PartitionKey>> {
  const taken = new Set<PartitionKey>();
  const kept = emptyTarget(members);
  for (const member of byId(members)) {
    for (const key of member.previous) {
      const topicId = key.slice(0, key.lastIndexOf(':'));
      if (!existing.has(key) || !member.topicIds.has(topicId) || taken.has(key)) continue;
      taken.add(key);
      kept.get(member.memberId)?.add(key);
    }
  }
  return kept;
}

/** Every partition that somebody subscribed to, with its topic id, in order. */
function subscribedPartitions(
  members: readonly AssignorMember[],
  counts: PartitionCounts,
): Map<PartitionKey, string> {
  const wanted = new Set<string>();
  for (const member of members) for (const topicId of member.topicIds) wanted.add(topicId);
  const partitions = new Map<PartitionKey, string>();
  for (const [topicId, count] of inOrder(counts)) {
    if (!wanted.has(topicId)) continue;
    for (let partition = 0; partition < count; partition++) {
      partitions.set(partitionKey(topicId, partition), topicId);
    }
  }
  return partitions;
}

const emptyTarget = (members: readonly AssignorMember[]) =>
  new Map(members.map(({ memberId }) => [memberId, new Set<PartitionKey>()]));

const inOrder = (counts: PartitionCounts) => [...counts].sort(([a], [b]) => (a < b ? -1 : 1));

const byId = (members: readonly AssignorMember[]) =>
  [...members].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));

const sizeOf = (target: ReadonlyMap<string, ReadonlySet<PartitionKey>>, { memberId }: { memberId: string }) =>
  target.get(memberId)?.size ?? 0;

const isSameSet = (a: ReadonlySet<string>, b: ReadonlySet<string>) =>
  a.size === b.size && [...a].every((item) => b.has(item));
