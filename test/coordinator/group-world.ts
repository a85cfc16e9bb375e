/**
 * A small world around the coordinator core: members as careful clients, a network that delays and loses, a metadata
 * log that commits late, and coordinators that fail over. Everything is driven by plain calls, so that a property can
 * choose the order.
 */

import { type ClientInfo, GroupCoordinatorCore } from '../../src/coordinator/core.ts';
import { stateOf } from '../../src/coordinator/describe.ts';
import { GROUP_LIMITS, type GroupLimits } from '../../src/coordinator/limits.ts';
import { decideCommit } from '../../src/coordinator/offsets.ts';
import { parseKey, toKeys, toTopics } from '../../src/coordinator/partitions.ts';
import { MetadataImage } from '../../src/metadata/image.ts';
import type { MetadataRecord } from '../../src/metadata/records.ts';
import { KafkaError } from '../../src/protocol/errors.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../../src/protocol/messages/consumer-group-heartbeat.ts';
import type { OffsetCommitRequest } from '../../src/protocol/messages/offset-commit.ts';
import { uuidFromBytes } from '../../src/protocol/uuid.ts';

const GROUP = 'g';
const CLIENT: ClientInfo = { clientId: 'test', clientHost: 'here' };
const REBALANCE_TIMEOUT_MS = 6_500;

export interface WorldMember {
  readonly id: string;
  readonly names: string[];
  alive: boolean;
  epoch: number;
  /** What it consumes: granted by a response, until it stopped. */
  readonly owned: Set<string>;
  /** The part of it that it was told to stop and has not yet. */
  readonly releasing: Set<string>;
  readonly positions: Map<string, number>;
  /** When the last request that was answered had been sent. */
  heardMs: number;
  releaseByMs: number;
  inFlight: number | undefined;
  committing: boolean;
  sendFull: boolean;
  reported: string;
}

interface Message {
  readonly id: number;
  readonly member: WorldMember;
  readonly sentMs: number;
  readonly request: ConsumerGroupHeartbeatRequest;
}

interface Answer extends Message {
  readonly response?: ConsumerGroupHeartbeatResponse;
  readonly error?: KafkaError;
}

interface Pending {
  readonly records: readonly MetadataRecord[];
  readonly then: () => void;
}

export class GroupWorld {
  nowMs = 1_000;
  committed = MetadataImage.EMPTY;
  speculative = MetadataImage.EMPTY;
  readonly limits: GroupLimits = GROUP_LIMITS;
  readonly members: WorldMember[] = [];
  requests: Message[] = [];
  answers: Answer[] = [];
  commits: { member: WorldMember; request: OffsetCommitRequest }[] = [];
  recordsWritten = 0;
  #pending: Pending[] = [];
  #core = new GroupCoordinatorCore(this.limits);
  /** A deposed coordinator that has not noticed: it answers what needs no commit. */
  #zombie: { core: GroupCoordinatorCore; image: MetadataImage; untilMs: number } | undefined;
  #nextId = 1;
  #nextMessage = 1;
  #topicSeq = 0;

  constructor() {
    this.#core.reset(this.committed, this.#now());
  }

  // ---------------------------------------------------------------- time and coordinator

  advance(ms: number): void {
    for (let left = ms; left > 0; left -= 100) {
      this.nowMs += Math.min(100, left);
      this.#propose(this.#core.tick(this.speculative, this.#now()).records, () => {});
      for (const member of this.members) this.#stopWhenCutOff(member);
    }
  }

  commit(count: number): void {
    for (const { records, then } of this.#pending.splice(0, count)) {
      if (records.length > 0) this.committed = this.committed.apply(records, this.committed.index + 1);
      this.#checkOffsets();
      then();
    }
  }

  failover(): void {
    // Nobody is answered ahead of what is appended and not committed, so with that it answers nobody at all.
    const answers = this.#pending.length === 0;
    const untilMs = answers ? this.nowMs + this.limits.groupTakeoverGraceMs : this.nowMs - 1;
    this.#zombie = { core: this.#core, image: this.committed, untilMs };
    this.#pending = [];
    this.speculative = this.committed;
    this.#core = new GroupCoordinatorCore(this.limits);
    this.#core.reset(this.committed, this.#now());
  }

  // ---------------------------------------------------------------- topics

  setTopic(name: string, partitions: number): void {
    const topic = this.speculative.topicByName(name);
    const records: MetadataRecord[] = [];
    const id = topic?.id ?? uuidFromBytes(new Uint8Array(16).fill(++this.#topicSeq));
    if (!topic) records.push({ type: 'Topic', name, topicId: id });
    for (let partition = topic?.partitions.length ?? 0; partition < partitions; partition++) {
      const epochs = { leader: 1, leaderEpoch: 0, partitionEpoch: 0 };
      records.push({
        type: 'Partition',
        topicId: id,
        partition,
        replicas: [1],
        isr: [1],
        elr: [],
        ...epochs,
      });
    }
    this.#propose(records, () => {});
  }

  deleteTopic(name: string): void {
    const topic = this.speculative.topicByName(name);
    if (topic) this.#propose([{ type: 'RemoveTopic', topicId: topic.id }], () => {});
  }

  // ---------------------------------------------------------------- members

  addMember(names: string[]): WorldMember {
    const member: WorldMember = {
      id: `m${this.#nextId++}`,
      names: [...names],
      alive: true,
      epoch: 0,
      owned: new Set(),
      releasing: new Set(),
      positions: new Map(),
      heardMs: this.nowMs,
      releaseByMs: Number.POSITIVE_INFINITY,
      inFlight: undefined,
      committing: false,
      sendFull: true,
      reported: '',
    };
    this.members.push(member);
    return member;
  }

  subscribe(member: WorldMember, names: string[]): void {
    member.names.splice(0, member.names.length, ...names);
    member.sendFull = true;
  }

  crash(member: WorldMember): void {
    member.alive = false;
    this.#abandon(member);
  }

  leave(member: WorldMember): void {
    if (!member.alive) return;
    this.crash(member);
    if (member.epoch > 0) this.#send(member, { ...this.#request(member), memberEpoch: -1 });
  }

  heartbeat(member: WorldMember): void {
    if (!member.alive || member.inFlight !== undefined) return;
    member.inFlight = this.#send(member, this.#request(member));
    member.sendFull = false;
  }

  /** It gave up waiting: what it sent may still arrive, what comes back is ignored. */
  timeOut(member: WorldMember): void {
    member.inFlight = undefined;
    member.sendFull = true;
  }

  finishRelease(member: WorldMember): void {
    for (const key of member.releasing) member.owned.delete(key);
    member.releasing.clear();
    member.releaseByMs = Number.POSITIVE_INFINITY;
  }

  sendCommit(member: WorldMember): void {
    const topics = this.#consume(member);
    if (!member.alive || topics.length === 0 || member.committing) return;
    member.committing = true;
    const ids = { groupId: GROUP, memberId: member.id, groupInstanceId: null };
    this.commits.push({ member, request: { ...ids, generationIdOrMemberEpoch: member.epoch, topics } });
  }

  // ---------------------------------------------------------------- network

  deliverRequest(index: number): void {
    const [message] = this.requests.splice(index % Math.max(1, this.requests.length), 1);
    if (!message) return;
    const zombie = this.#zombie;
    if (zombie && zombie.untilMs >= this.nowMs && message.id % 2 === 0) {
      try {
        const decision = zombie.core.heartbeat(zombie.image, message.request, CLIENT, this.#now());
        if (decision.records.length === 0) this.answers.push({ ...message, response: decision.reply });
      } catch {
        // A refusal by a coordinator that lost its place frightens the member needlessly, no more.
      }
      return;
    }
    try {
      const { records, reply } = this.#core.heartbeat(this.speculative, message.request, CLIENT, this.#now());
      this.#propose(records, () => this.answers.push({ ...message, response: reply }));
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.answers.push({ ...message, error });
    }
  }

  deliverAnswer(index: number): void {
    const [answer] = this.answers.splice(index % Math.max(1, this.answers.length), 1);
    if (!answer) return;
    const { member, id, sentMs, response } = answer;
    if (!member.alive || member.inFlight !== id) return;
    member.inFlight = undefined;
    if (!response) {
      this.#rejoin(member);
      return;
    }
    const heardBeforeMs = member.heardMs;
    member.heardMs = sentMs;
    member.epoch = response.memberEpoch;
    const { topicPartitions } = answer.request;
    if (topicPartitions) member.reported = JSON.stringify(topicPartitions);
    if (response.assignment) this.#take(member, toKeys(response.assignment.topicPartitions), heardBeforeMs);
  }

  deliverCommit(index: number): void {
    const [commit] = this.commits.splice(index % Math.max(1, this.commits.length), 1);
    if (!commit) return;
    commit.member.committing = false;
    try {
      const { commits } = decideCommit(this.speculative, commit.request, this.nowMs, this.limits);
      if (commits.length > 0) this.#propose([{ type: 'GroupOffsets', groupId: GROUP, commits }], () => {});
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
    }
  }

  // ---------------------------------------------------------------- what must hold

  checkOwnership(): void {
    const owners = new Map<string, string>();
    for (const member of this.members) {
      for (const key of member.owned) {
        const other = owners.get(key);
        if (other) throw new Error(`${key} is consumed by ${other} and ${member.id} at ${this.nowMs}`);
        owners.set(key, member.id);
      }
    }
  }

  /** Everything calm: loses nothing, delivers everything, for so long. */
  settle(ms: number): void {
    for (const end = this.nowMs + ms; this.nowMs < end; ) {
      for (const member of this.members) this.finishRelease(member);
      for (const member of this.members) this.heartbeat(member);
      while (this.requests.length > 0) this.deliverRequest(0);
      this.commit(Number.POSITIVE_INFINITY);
      while (this.answers.length > 0) this.deliverAnswer(0);
      for (const member of this.members) if (member.inFlight !== undefined) this.timeOut(member);
      this.checkOwnership();
      this.advance(200);
      this.commit(Number.POSITIVE_INFINITY);
    }
  }

  /** Why the group is not settled; undefined when every partition has its one owner and loads differ by one at most. */
  unsettled(): string | undefined {
    const alive = this.members.filter(({ alive }) => alive);
    const group = this.committed.groups.get(GROUP);
    if (alive.length === 0) return group && group.members.size > 0 ? 'the dead are members' : undefined;
    if (!group || stateOf(group) !== 'Stable') return `state ${group && stateOf(group)}`;
    const wanted = new Set<string>();
    for (const { names } of alive) {
      for (const topic of names.map((name) => this.committed.topicByName(name))) {
        for (const { partition } of topic?.partitions ?? []) wanted.add(`${topic?.id}:${partition}`);
      }
    }
    const owned = alive.flatMap((member) => [...member.owned]);
    if (owned.length !== wanted.size || !owned.every((key) => wanted.has(key)))
      return `owned ${owned.join()} of ${[...wanted].join()}`;
    const equal = new Set(alive.map(({ names }) => [...names].sort().join())).size === 1;
    const loads = alive.map((member) => member.owned.size);
    if (equal && Math.max(...loads) - Math.min(...loads) > 1) return `uneven: ${loads.join()}`;
    return undefined;
  }

  // ---------------------------------------------------------------- inside

  #now() {
    return { monotonicMs: this.nowMs, wallMs: this.nowMs };
  }

  #propose(records: readonly MetadataRecord[], then: () => void): void {
    if (records.length > 0) {
      this.speculative = this.speculative.apply(records, this.speculative.index + 1);
      this.recordsWritten += records.length;
    }
    if (records.length === 0 && this.#pending.length === 0) then();
    else this.#pending.push({ records, then });
  }

  #request(member: WorldMember): ConsumerGroupHeartbeatRequest {
    const joining = member.epoch === 0;
    const full = joining || member.sendFull;
    const owned = joining ? [] : toTopics(member.owned);
    return {
      groupId: GROUP,
      memberId: member.id,
      memberEpoch: member.epoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: full ? REBALANCE_TIMEOUT_MS : -1,
      subscribedTopicNames: full ? [...member.names] : null,
      serverAssignor: null,
      topicPartitions: full || JSON.stringify(owned) !== member.reported ? owned : null,
    };
  }

  #send(member: WorldMember, request: ConsumerGroupHeartbeatRequest): number {
    const id = this.#nextMessage++;
    this.requests.push({ id, member, sentMs: this.nowMs, request });
    return id;
  }

  #take(member: WorldMember, assigned: Set<string>, heardBeforeMs: number): void {
    for (const key of assigned) {
      member.releasing.delete(key);
      if (member.owned.has(key)) continue;
      member.owned.add(key);
      const { topicId, partition } = parseKey(key);
      const committed = this.committed.groups.get(GROUP)?.offsets.get(topicId)?.get(partition)?.offset ?? 0;
      member.positions.set(key, committed);
    }
    for (const key of member.owned) if (!assigned.has(key)) member.releasing.add(key);
    if (member.releasing.size === 0) member.releaseByMs = Number.POSITIVE_INFINITY;
    else if (member.releaseByMs === Number.POSITIVE_INFINITY)
      member.releaseByMs = heardBeforeMs + REBALANCE_TIMEOUT_MS;
  }

  #consume(member: WorldMember): OffsetCommitRequest['topics'] {
    for (const key of member.owned) member.positions.set(key, (member.positions.get(key) ?? 0) + 1);
    return toTopics(member.owned).map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map((partitionIndex) => ({
        partitionIndex,
        committedOffset: member.positions.get(`${topicId}:${partitionIndex}`) ?? 0,
        committedLeaderEpoch: -1,
        committedMetadata: null,
      })),
    }));
  }

  /** A member that nobody hears of must assume that its partitions are given away. */
  #stopWhenCutOff(member: WorldMember): void {
    const cutOff = this.nowMs >= member.heardMs + this.limits.groupSessionTimeoutMs;
    if (member.alive && (cutOff || this.nowMs >= member.releaseByMs)) this.#rejoin(member);
  }

  #rejoin(member: WorldMember): void {
    this.#abandon(member);
    member.epoch = 0;
    member.inFlight = undefined;
    member.sendFull = true;
    member.heardMs = this.nowMs;
  }

  #abandon(member: WorldMember): void {
    member.owned.clear();
    member.releasing.clear();
    member.releaseByMs = Number.POSITIVE_INFINITY;
  }

  readonly #highest = new Map<string, number>();

  #checkOffsets(): void {
    for (const [topicId, partitions] of this.committed.groups.get(GROUP)?.offsets ?? []) {
      for (const [partition, { offset }] of partitions) {
        const key = `${topicId}:${partition}`;
        if (offset < (this.#highest.get(key) ?? 0))
          throw new Error(`the offset of ${key} went back to ${offset}`);
        this.#highest.set(key, offset);
      }
    }
  }
}
