/**
 * The rules of consumer groups (KIP-848): pure, synchronous. A request and an image give records and a reply; the
 * caller makes the records durable before it sends the reply. Membership, epochs and assignments live in the image.
 * Only what can be forgotten is kept here: when each member was last heard, and what it last said it owns.
 *
 * The caller passes the image as appended, not as committed: decisions build on each other at once, and their replies
 * leave in the order of the log.
 */

import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/records.ts';
import { ERROR_CODE, KafkaError } from '../protocol/errors.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/consumer-group-heartbeat.ts';
import { Group, type Member } from './group.ts';
import type { GroupLimits } from './limits.ts';
import { isSubset, NO_PARTITIONS, sameKeys, toKeys, toTopics } from './partitions.ts';
import { isSettled, reconcile } from './reconcile.ts';
import { type Overdue, type Predecessor, Sessions } from './sessions.ts';
import { checkHeartbeat, JOIN_EPOCH, LEAVE_EPOCH } from './validate.ts';

/** Who sent a request, as the image and `ConsumerGroupDescribe` show it. */
export interface ClientInfo {
  readonly clientId: string;
  readonly clientHost: string;
  /** Stands for the connection of the request; only compared. */
  readonly connection?: object;
}

/** Time as the core needs it: monotonic for sessions, wall for what is kept. */
export interface Now {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

export interface Decision<Reply> {
  /** To be appended as one entry; empty when nothing changes. */
  readonly records: MetadataRecord[];
  /** To be sent once the records are committed. */
  readonly reply: Reply;
}

/** A member that was removed because it kept the others waiting. */
export interface Eviction extends Overdue {
  readonly groupId: string;
}

type HeartbeatRequest = ConsumerGroupHeartbeatRequest;
type HeartbeatResponse = ConsumerGroupHeartbeatResponse;

export class GroupCoordinatorCore {
  readonly #limits: GroupLimits;
  readonly #sessions: Sessions;
  /** Per group, the image parts that its target was last compared with: the same parts need no second look. */
  readonly #fresh = new Map<string, { topics: unknown; members: unknown; targets: unknown }>();

  constructor(limits: GroupLimits) {
    this.#limits = limits;
    this.#sessions = new Sessions(limits);
  }

  /** Starts afresh as the active controller: every member of the image gets time to be heard. */
  reset(image: MetadataImage, now: Now, predecessor: Predecessor = 'unknown'): void {
    this.#fresh.clear();
    this.#sessions.reset(image.groups, now.monotonicMs, predecessor);
  }

  /** Joins, keeps alive, reconciles or leaves. Throws a `KafkaError` when the request is refused. */
  heartbeat(
    image: MetadataImage,
    request: HeartbeatRequest,
    client: ClientInfo,
    now: Now,
  ): Decision<HeartbeatResponse> {
    checkHeartbeat(request, this.#limits);
    if (request.memberEpoch === LEAVE_EPOCH) return this.#leave(image, request, now);
    const group = this.#groupOf(image, request);
    const known = group.members.get(request.memberId);
    if (known && request.memberEpoch !== JOIN_EPOCH) checkMemberEpoch(known, request);
    const joined = this.#join(group, known, request, client);
    const session = this.#sessions.touch(group.groupId, joined.memberId, now.monotonicMs);
    session.connection = client.connection;
    const owned = ownedPartitions(request, session.reported);

    group.put(joined);
    if (wantsRebalance(known, joined, request) || this.#isStale(group, image))
      group.rebalance(image, now.wallMs);
    const member = this.#advance(group, joined, known, request, owned);
    group.put(member);

    session.reported = owned && isSubset(member.assigned, owned) ? owned : undefined;
    this.#sessions.awaitRevocation(session, member, now.monotonicMs);
    const settled = isSettled(member, group.target(member.memberId), group.epoch);
    return {
      records: group.records(),
      reply: {
        throttleTimeMs: 0,
        errorCode: ERROR_CODE.NONE,
        errorMessage: null,
        memberId: member.memberId,
        memberEpoch: member.memberEpoch,
        heartbeatIntervalMs: settled
          ? this.#limits.groupHeartbeatIntervalMs
          : this.#limits.groupRebalanceHeartbeatIntervalMs,
        // Repeated until the member reports exactly this: a response may have been lost. Also told when it has just become
        // what the member owns: it may have been granted more, and not have taken that up yet.
        assignment:
          session.reported &&
          sameKeys(session.reported, member.assigned) &&
          sameKeys(member.assigned, known?.assigned ?? member.assigned) &&
          !isFull(request)
            ? null
            : { topicPartitions: toTopics(member.assigned) },
        ...this.#patience(),
      },
    };
  }

  /** The connection by which a member was heard has ended. */
  disconnected(groupId: string, memberId: string, connection: object, now: Now): void {
    this.#sessions.disconnected(groupId, memberId, connection, now.monotonicMs);
  }

  /** Removes members whose time is up. Call it often; it costs a comparison per member. */
  tick(image: MetadataImage, now: Now): { records: MetadataRecord[]; evictions: Eviction[] } {
    const records: MetadataRecord[] = [];
    const evictions: Eviction[] = [];
    for (const { groupId, members } of this.#sessions.overdue(now.monotonicMs)) {
      const group = new Group(groupId, image.groups.get(groupId));
      const evicted = members.filter(({ memberId }) => group.remove(memberId));
      for (const { memberId } of members) this.#sessions.drop(groupId, memberId);
      if (evicted.length === 0) continue;
      group.rebalance(image, now.wallMs);
      records.push(...group.records());
      evictions.push(...evicted.map((member) => ({ groupId, ...member })));
    }
    return { records, evictions };
  }

  /** How long a member may go on without being answered. */
  #patience(): { readonly sessionTimeoutMs: number; readonly disconnectGraceMs: number } {
    const { groupSessionTimeoutMs, groupDisconnectGraceMs } = this.#limits;
    return { sessionTimeoutMs: groupSessionTimeoutMs, disconnectGraceMs: groupDisconnectGraceMs };
  }

  #leave(image: MetadataImage, request: HeartbeatRequest, now: Now): Decision<HeartbeatResponse> {
    const { groupId, memberId } = request;
    const group = new Group(groupId, image.groups.get(groupId));
    if (!group.remove(memberId)) throw unknownMember(memberId);
    this.#sessions.drop(groupId, memberId);
    group.rebalance(image, now.wallMs);
    const reply = {
      throttleTimeMs: 0,
      errorCode: ERROR_CODE.NONE,
      errorMessage: null,
      memberId,
      memberEpoch: LEAVE_EPOCH,
      heartbeatIntervalMs: 0,
      assignment: null,
      ...this.#patience(),
    };
    return { records: group.records(), reply };
  }

  #groupOf(image: MetadataImage, { groupId, memberId, memberEpoch }: HeartbeatRequest): Group {
    const found = image.groups.get(groupId);
    if (!found?.members.has(memberId)) {
      if (memberEpoch !== JOIN_EPOCH) throw unknownMember(memberId);
      const { groupsMax, groupMembersMax } = this.#limits;
      if (!found && image.groups.size >= groupsMax)
        throw new KafkaError('GROUP_MAX_SIZE_REACHED', `the cluster has ${groupsMax} groups (groupsMax)`);
      if (found && found.members.size >= groupMembersMax)
        throw new KafkaError(
          'GROUP_MAX_SIZE_REACHED',
          `the group has ${groupMembersMax} members (groupMembersMax)`,
        );
    }
    return new Group(groupId, found);
  }

  /** The member with what the request changes; `known` itself when that is nothing. */
  #join(group: Group, known: Member | undefined, request: HeartbeatRequest, client: ClientInfo): Member {
    const names = request.subscribedTopicNames;
    const subscribedTopicNames = names ? [...new Set(names)].sort() : (known?.subscribedTopicNames ?? []);
    const updated: Member = {
      memberEpoch: 0,
      previousMemberEpoch: -1,
      assigned: NO_PARTITIONS,
      pendingRevocation: NO_PARTITIONS,
      ...known,
      memberId: request.memberId,
      instanceId: null,
      rackId: request.rackId ?? known?.rackId ?? null,
      clientId: client.clientId,
      clientHost: client.clientHost,
      rebalanceTimeoutMs: this.#rebalanceTimeoutMs(known, request),
      serverAssignor: request.serverAssignor ?? known?.serverAssignor ?? null,
      subscribedTopicNames,
    };
    if (known && request.memberEpoch === JOIN_EPOCH) {
      // It joins again under its id: it was fenced, or missed the response. It owns nothing now, but this request may
      // be an old one, delayed: so what was to be given up stays held until a heartbeat in a fresh epoch says so,
      // and whoever still speaks in an older epoch is fenced.
      group.epoch += 1;
      return { ...updated, memberEpoch: group.epoch, previousMemberEpoch: -1 };
    }
    return known && sameMember(known, updated) ? known : updated;
  }

  /**
   * Never below the session timeout: a member that is evicted for keeping a partition may not have heard that it
   * should give it up, but after a session without an answer it has stopped by itself.
   */
  #rebalanceTimeoutMs(known: Member | undefined, { rebalanceTimeoutMs }: HeartbeatRequest): number {
    const { groupSessionTimeoutMs, groupRebalanceTimeoutMs, groupRebalanceTimeoutMsMax } = this.#limits;
    if (rebalanceTimeoutMs <= 0) return known?.rebalanceTimeoutMs ?? groupRebalanceTimeoutMs;
    return Math.max(groupSessionTimeoutMs, Math.min(rebalanceTimeoutMs, groupRebalanceTimeoutMsMax));
  }

  #advance(
    group: Group,
    member: Member,
    known: Member | undefined,
    request: HeartbeatRequest,
    owned: ReadonlySet<string> | null,
  ): Member {
    const target = group.target(member.memberId);
    const targetEpoch = group.epoch;
    if (known && request.memberEpoch === JOIN_EPOCH) {
      const kept = new Set([...member.assigned].filter((key) => target.has(key)));
      const unconfirmed = [...member.assigned].filter((key) => !target.has(key));
      const pendingRevocation = new Set([...member.pendingRevocation, ...unconfirmed]);
      if (pendingRevocation.size > 0) return { ...member, assigned: kept, pendingRevocation };
    }
    if (isSettled(member, target, targetEpoch)) return member;
    return reconcile(member, {
      target,
      targetEpoch,
      owned,
      heldByOthers: group.heldByOthers(member.memberId),
    });
  }

  #isStale(group: Group, image: MetadataImage): boolean {
    const { groupId } = group;
    const found = image.groups.get(groupId);
    const fresh = this.#fresh.get(groupId);
    const same =
      found &&
      fresh?.topics === image.topics &&
      fresh.members === found.members &&
      fresh.targets === found.targets;
    if (same) return false;
    if (group.isTargetStale(image)) return true;
    if (found)
      this.#fresh.set(groupId, { topics: image.topics, members: found.members, targets: found.targets });
    return false;
  }
}

/** KIP-848: the current epoch, or the one before when the member cannot own more than it was assigned. */
function checkMemberEpoch(member: Member, request: HeartbeatRequest): void {
  if (request.memberEpoch === member.memberEpoch) return;
  const missedTheRaise =
    request.memberEpoch === member.previousMemberEpoch &&
    request.topicPartitions !== null &&
    isSubset(toKeys(request.topicPartitions), new Set([...member.assigned, ...member.pendingRevocation]));
  if (missedTheRaise) return;
  throw new KafkaError(
    'FENCED_MEMBER_EPOCH',
    `the member is in epoch ${member.memberEpoch}, not ${request.memberEpoch}: give up all partitions and join again`,
  );
}

/**
 * What the member owns, null when it is not known. A null list means "as reported last", which is trusted only when
 * that was "nothing" and nothing was granted since: the member may be taking a grant up right now.
 */
function ownedPartitions(
  request: HeartbeatRequest,
  reported: ReadonlySet<string> | undefined,
): ReadonlySet<string> | null {
  if (request.topicPartitions) return toKeys(request.topicPartitions);
  if (request.memberEpoch === JOIN_EPOCH) return NO_PARTITIONS;
  return reported ?? null;
}

function wantsRebalance(known: Member | undefined, joined: Member, request: HeartbeatRequest): boolean {
  if (!known || request.memberEpoch === JOIN_EPOCH) return true;
  return (
    known.serverAssignor !== joined.serverAssignor ||
    known.subscribedTopicNames.join() !== joined.subscribedTopicNames.join()
  );
}

function sameMember(a: Member, b: Member): boolean {
  return (
    a.rackId === b.rackId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    a.serverAssignor === b.serverAssignor &&
    a.subscribedTopicNames.join() === b.subscribedTopicNames.join()
  );
}

/** Kafka's "full" request, which restates everything: the member does not know what the coordinator knows. */
function isFull(request: HeartbeatRequest): boolean {
  return request.subscribedTopicNames !== null && request.topicPartitions !== null;
}

function unknownMember(memberId: string): KafkaError {
  return new KafkaError(
    'UNKNOWN_MEMBER_ID',
    `the group has no member ${JSON.stringify(memberId.slice(0, 64))}`,
  );
}
