/**
 * A model of a group's coordinator (KIP-848): assigns round-robin, grants a partition only when nobody owns it, moves a
 * member on once it has given up what it must.
 */

import { ERROR_CODE } from '../../../src/protocol/errors.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../../src/protocol/messages/consumer-group-heartbeat.ts';

interface Member {
  readonly id: string;
  epoch: number;
  topics: readonly string[];
  /** Granted: the member may use these, until it reports that it does not. */
  granted: Set<string>;
  lastHeardMs: number;
  /** What it was told last. */
  told: string | undefined;
}

const REFUSAL: ConsumerGroupHeartbeatResponse = {
  throttleTimeMs: 0,
  errorCode: 0,
  errorMessage: null,
  memberId: null,
  memberEpoch: 0,
  heartbeatIntervalMs: 0,
  assignment: null,
  sessionTimeoutMs: -1,
  disconnectGraceMs: -1,
};

export class FakeCoordinator {
  readonly members = new Map<string, Member>();
  readonly committed = new Map<string, { offset: number; leaderEpoch: number; metadata: string | null }>();
  heartbeatIntervalMs = 100;
  sessionTimeoutMs = 1_000;
  #epoch = 0;

  /** The partitions (`topicId:partition`) of the topics of a name. */
  readonly #partitionsOf: (topic: string) => readonly string[];

  constructor(partitionsOf: (topic: string) => readonly string[]) {
    this.#partitionsOf = partitionsOf;
  }

  heartbeat(request: ConsumerGroupHeartbeatRequest, nowMs: number): ConsumerGroupHeartbeatResponse {
    this.expire(nowMs);
    const { memberId, memberEpoch, subscribedTopicNames, topicPartitions } = request;
    let member = this.members.get(memberId);
    if (memberEpoch < 0) {
      if (this.members.delete(memberId)) this.#epoch++;
      return { ...REFUSAL, memberId, memberEpoch };
    }
    if (memberEpoch === 0) {
      member = {
        id: memberId,
        epoch: 0,
        topics: subscribedTopicNames ?? [],
        granted: new Set(),
        lastHeardMs: nowMs,
        told: '?',
      };
      this.members.set(memberId, member);
      this.#epoch++;
    }
    if (member === undefined) return { ...REFUSAL, errorCode: ERROR_CODE.UNKNOWN_MEMBER_ID };
    if (memberEpoch > member.epoch) return { ...REFUSAL, errorCode: ERROR_CODE.FENCED_MEMBER_EPOCH };
    member.lastHeardMs = nowMs;
    if (subscribedTopicNames !== null && subscribedTopicNames.join() !== member.topics.join()) {
      member.topics = subscribedTopicNames;
      this.#epoch++;
    }
    if (topicPartitions !== null) this.#report(member, topicPartitions);
    return this.#answer(member, subscribedTopicNames !== null);
  }

  expire(nowMs: number): void {
    for (const member of this.members.values()) {
      if (nowMs - member.lastHeardMs <= this.sessionTimeoutMs) continue;
      this.members.delete(member.id);
      this.#epoch++;
    }
  }

  /** -1 for commits from outside, otherwise the member has to be known and current. */
  checkCommit(memberId: string, epoch: number): number {
    if (epoch < 0) return this.members.size === 0 ? 0 : ERROR_CODE.UNKNOWN_MEMBER_ID;
    const member = this.members.get(memberId);
    if (member === undefined) return ERROR_CODE.UNKNOWN_MEMBER_ID;
    return epoch === member.epoch ? 0 : ERROR_CODE.STALE_MEMBER_EPOCH;
  }

  #report(member: Member, owned: readonly { topicId: string; partitions: number[] }[]): void {
    const reported = new Set(owned.flatMap((t) => t.partitions.map((p) => `${t.topicId}:${p}`)));
    const target = this.#target(member);
    // What it does not own and is not to own is free; what is to be its own stays granted, reported or not yet.
    for (const id of member.granted) if (!reported.has(id) && !target.has(id)) member.granted.delete(id);
    // Granted again, for as long as it says that it does not own it.
    if ([...member.granted].some((id) => !reported.has(id))) member.told = undefined;
  }

  #target(member: Member): Set<string> {
    const members = [...this.members.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    const target = new Set<string>();
    const topics = [...new Set(members.flatMap(({ topics }) => topics))].sort();
    for (const topic of topics) {
      const subscribed = members.filter(({ topics }) => topics.includes(topic));
      this.#partitionsOf(topic).forEach((id, i) => {
        if (subscribed[i % subscribed.length] === member) target.add(id);
      });
    }
    return target;
  }

  #answer(member: Member, full: boolean): ConsumerGroupHeartbeatResponse {
    const target = this.#target(member);
    const mustGiveUp = [...member.granted].some((id) => !target.has(id));
    if (!mustGiveUp) {
      member.epoch = this.#epoch;
      for (const id of target) {
        const taken = [...this.members.values()].some((other) => other !== member && other.granted.has(id));
        if (!taken) member.granted.add(id);
      }
    }
    const assigned = [...member.granted].filter((id) => target.has(id)).sort();
    const text = assigned.join();
    const changed = text !== member.told || full;
    member.told = text;
    return {
      ...REFUSAL,
      memberId: member.id,
      memberEpoch: member.epoch,
      heartbeatIntervalMs: this.heartbeatIntervalMs,
      assignment: changed ? { topicPartitions: byTopic(assigned) } : null,
    };
  }
}

function byTopic(ids: readonly string[]): { topicId: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>();
  for (const id of ids) {
    const [topicId = '', partition] = id.split(':');
    topics.set(topicId, [...(topics.get(topicId) ?? []), Number(partition)]);
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
}
