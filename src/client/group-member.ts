/**
 * A member of a consumer group, in the manner of KIP-848: the coordinator assigns, the member reconciles. Pure;
 * `group-session.ts` sends its heartbeats and the consumer carries out its steps.
 *
 * The coordinator grants a partition only once its last owner has given it up, and it takes a heartbeat's list of owned
 * partitions as the proof. So a partition leaves `owned` only when the consumer has stopped using it (`completed`), and
 * enters it only after the coordinator granted it.
 */

import { ERROR_CODE, type ErrorName, errorFor, type KafkaError } from '../protocol/errors.ts';
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from '../protocol/messages/consumer-group-heartbeat.ts';
import { isRetriable } from './errors.ts';
import { addTo } from './grouping.ts';

export interface GroupMemberOptions {
  readonly groupId: string;
  readonly memberId: string;
  readonly instanceId: string | null;
  readonly rackId: string | null;
  readonly rebalanceTimeoutMs: number;
  readonly serverAssignor: string | null;
}

/** A partition by its topic's id: names come and go, ids do not. */
export interface PartitionId {
  readonly topicId: string;
  readonly partition: number;
}

/** What the consumer has to do next about its partitions: give some up, forget those it lost, or take new ones. */
export interface ReconciliationStep {
  readonly kind: 'revoke' | 'lost' | 'assign';
  readonly partitions: readonly PartitionId[];
}

const JOIN_EPOCH = 0;
const LEAVE_EPOCH = -1;
const LEAVE_STATIC_EPOCH = -2;
/** Until the coordinator says how often it wants to hear from us. */
const FIRST_INTERVAL_MS = 1_000;
const REJOIN: ReadonlySet<ErrorName> = new Set<ErrorName>(['FENCED_MEMBER_EPOCH', 'UNKNOWN_MEMBER_ID']);
const DISCONNECTED: ReadonlySet<ErrorName> = new Set<ErrorName>(['NETWORK_EXCEPTION']);
const RETRY: ReadonlySet<ErrorName> = new Set<ErrorName>(['UNRELEASED_INSTANCE_ID']);

type Phase = 'idle' | 'joining' | 'member' | 'fenced' | 'failed' | 'left';

export class GroupMember {
  readonly #options: GroupMemberOptions;
  #phase: Phase = 'idle';
  #epoch = JOIN_EPOCH;
  #intervalMs = FIRST_INTERVAL_MS;
  #subscribed: readonly string[] = [];
  readonly #owned = new Map<string, PartitionId>();
  /** Granted, and being taken up: told to the coordinator as owned, or it would count as given up. */
  #takingUp: readonly PartitionId[] = [];
  #target = new Map<string, PartitionId>();
  #inFlight = false;
  /** The heartbeat under way is of a membership that was given up since: its answer says nothing any more. */
  #ignoreAnswer = false;
  #nextHeartbeatMs = Number.POSITIVE_INFINITY;
  /** The next heartbeat carries everything: the coordinator may not have (or may have lost) what it was told. */
  #sendAll = true;
  #sendOwned = false;
  #sendSubscription = false;
  #failure: KafkaError | undefined;
  /** Owned and granted partitions may differ. */
  #maybeStep = false;
  /** The consumer is carrying a step out: what it holds is not settled. */
  #stepping = false;
  /** When the heartbeat that was answered last, and the one under way, were sent. */
  #answeredSentMs = 0;
  #sentMs = 0;
  #isDisconnected = false;
  /** How long the coordinator waits for a member that is silent, and for one whose connection ended. */
  #sessionTimeoutMs = Number.POSITIVE_INFINITY;
  #disconnectGraceMs = Number.POSITIVE_INFINITY;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
  }

  get memberId(): string {
    return this.#options.memberId;
  }

  /** -1 while this is not a member: a commit then counts as one from outside the group, and is refused. */
  get epoch(): number {
    return this.#phase === 'member' ? this.#epoch : -1;
  }

  /** Why membership ended for good. */
  get failure(): KafkaError | undefined {
    return this.#failure;
  }

  get owned(): readonly PartitionId[] {
    return [...this.#owned.values()];
  }

  /** When `heartbeat` will next have one to send; infinite while an answer is due or there is no membership. */
  get nextHeartbeatMs(): number {
    const silent = this.#inFlight || this.#phase === 'idle' || this.#phase === 'left';
    return silent || this.#phase === 'fenced' || this.#phase === 'failed'
      ? Number.POSITIVE_INFINITY
      : this.#nextHeartbeatMs;
  }

  /**
   * Until when the partitions are surely this member's. A member that lost its connection has less time, and whether
   * it was too long away only the next answer tells: till then it hands out nothing, and gives nothing up.
   */
  get ownsUntilMs(): number {
    if (this.#phase !== 'member') return Number.POSITIVE_INFINITY;
    const patienceMs = this.#isDisconnected ? this.#disconnectGraceMs : this.#sessionTimeoutMs;
    return this.#answeredSentMs + Math.min(patienceMs, this.#sessionTimeoutMs);
  }

  /** When the coordinator has surely removed this member, since it heard nothing of it for a session. */
  get lostAtMs(): number {
    if (this.#phase !== 'member' || (this.#owned.size === 0 && !this.#stepping))
      return Number.POSITIVE_INFINITY;
    return this.#answeredSentMs + this.#sessionTimeoutMs;
  }

  /** Gives up what it owns when `lostAtMs` has come; it joins afresh once the consumer has let go. */
  expire(nowMs: number): boolean {
    if (nowMs < this.lostAtMs) return false;
    this.#lose(nowMs);
    return true;
  }

  subscribe(topics: readonly string[], nowMs: number): void {
    this.#subscribed = [...topics];
    this.#sendSubscription = true;
    this.#nextHeartbeatMs = nowMs;
    if (this.#phase === 'idle' || this.#phase === 'left' || this.#phase === 'failed') this.#join(nowMs);
  }

  /** The heartbeat that is due now, if one is; its answer must be reported before there is another. */
  heartbeat(nowMs: number): ConsumerGroupHeartbeatRequest | undefined {
    if (nowMs < this.nextHeartbeatMs) return undefined;
    this.#inFlight = true;
    this.#sentMs = nowMs;
    const { groupId, memberId, instanceId, rackId, rebalanceTimeoutMs, serverAssignor } = this.#options;
    const all = this.#sendAll;
    const request: ConsumerGroupHeartbeatRequest = {
      groupId,
      memberId,
      memberEpoch: this.#epoch,
      instanceId,
      rackId: all ? rackId : null,
      rebalanceTimeoutMs: all ? rebalanceTimeoutMs : -1,
      subscribedTopicNames: all || this.#sendSubscription ? [...this.#subscribed] : null,
      serverAssignor: all ? serverAssignor : null,
      topicPartitions: all || this.#sendOwned ? this.#ownedByTopic() : null,
    };
    // The coordinator may give to others what it is told is not owned. What this member did not begin to take up it must not
    // any more, unless the answer grants it again.
    if (request.topicPartitions !== null) this.#forgetGrants();
    this.#sendAll = false;
    this.#sendOwned = false;
    this.#sendSubscription = false;
    return request;
  }

  onAnswer(response: ConsumerGroupHeartbeatResponse, nowMs: number, retryAtMs: number): void {
    if (response.errorCode !== ERROR_CODE.NONE) {
      this.onFailure(errorFor(response.errorCode, response.errorMessage), nowMs, retryAtMs);
      return;
    }
    this.#inFlight = false;
    if (this.#isIgnored() || (this.#phase !== 'joining' && this.#phase !== 'member')) return;
    this.#phase = 'member';
    this.#epoch = response.memberEpoch;
    this.#answeredSentMs = this.#sentMs;
    this.#isDisconnected = false;
    if (response.sessionTimeoutMs > 0) this.#sessionTimeoutMs = response.sessionTimeoutMs;
    if (response.disconnectGraceMs > 0) this.#disconnectGraceMs = response.disconnectGraceMs;
    this.#intervalMs = response.heartbeatIntervalMs > 0 ? response.heartbeatIntervalMs : this.#intervalMs;
    this.#nextHeartbeatMs =
      this.#sendOwned || this.#sendSubscription || this.#sendAll ? nowMs : nowMs + this.#intervalMs;
    if (response.assignment === null) return;
    this.#target = new Map();
    this.#maybeStep = true;
    // Said even when nothing changes here: a grant whose answer was lost is given back only by saying that it is not owned.
    this.#sendOwned = true;
    for (const { topicId, partitions } of response.assignment.topicPartitions) {
      for (const partition of partitions) this.#target.set(keyOf(topicId, partition), { topicId, partition });
    }
  }

  /** The heartbeat was refused or got no answer. */
  onFailure(error: unknown, nowMs: number, retryAtMs: number): void {
    this.#inFlight = false;
    // The coordinator may or may not have read it.
    this.#sendAll = true;
    if (this.#isIgnored()) return;
    if (this.#phase === 'left' || this.#phase === 'idle') return;
    const code = (error as KafkaError).code;
    // The connection ended some time after the last answer; the coordinator counts from there.
    if (DISCONNECTED.has(code)) this.#isDisconnected = true;
    if (REJOIN.has(code)) {
      this.#lose(nowMs);
    } else if (isRetriable(error) || RETRY.has(code)) {
      this.#nextHeartbeatMs = retryAtMs;
    } else {
      this.#failure = error as KafkaError;
      this.#phase = 'failed';
      this.#target = new Map();
      this.#maybeStep = true;
    }
  }

  #forgetGrants(): void {
    const takingUp = new Set(this.#takingUp.map(({ topicId, partition }) => keyOf(topicId, partition)));
    for (const key of this.#target.keys())
      if (!this.#owned.has(key) && !takingUp.has(key)) this.#target.delete(key);
  }

  #isIgnored(): boolean {
    const ignored = this.#ignoreAnswer;
    this.#ignoreAnswer = false;
    return ignored;
  }

  /** What it owned is somebody else's by now. It rejoins once the consumer has let go of it. */
  #lose(nowMs: number): void {
    this.#ignoreAnswer = this.#inFlight;
    this.#target = new Map();
    this.#maybeStep = true;
    if (this.#owned.size > 0 || this.#stepping) this.#phase = 'fenced';
    else this.#join(nowMs);
  }

  /** Whether there may be a step to take; cheap. */
  get hasStep(): boolean {
    return this.#maybeStep && !this.#stepping;
  }

  /** Begins what is to be done next, if anything; `completed` must follow before there is another step. */
  begin(): ReconciliationStep | undefined {
    const step = this.#step();
    this.#maybeStep = step !== undefined;
    this.#stepping = step !== undefined;
    this.#takingUp = step?.kind === 'assign' ? step.partitions : [];
    return step;
  }

  /**
   * The consumer has carried a step out (or, for new partitions, as much of it as it could). What changed since it
   * began is the next step's business.
   */
  completed({ kind, partitions }: ReconciliationStep, nowMs: number): void {
    this.#stepping = false;
    this.#takingUp = [];
    for (const partition of partitions) {
      const key = keyOf(partition.topicId, partition.partition);
      if (kind === 'assign') this.#owned.set(key, partition);
      else this.#owned.delete(key);
    }
    this.#maybeStep = true;
    if (partitions.length === 0 && this.#phase === 'member') return;
    if (this.#phase === 'fenced' && this.#owned.size === 0) this.#join(nowMs);
    this.#sendOwned = true;
    this.#nextHeartbeatMs = nowMs;
  }

  #step(): ReconciliationStep | undefined {
    if (this.#phase === 'fenced' || this.#phase === 'failed') {
      return this.#owned.size > 0 ? { kind: 'lost', partitions: this.owned } : undefined;
    }
    if (this.#phase !== 'member') return undefined;
    const revoked = missing(this.#owned, this.#target);
    if (revoked.length > 0) return { kind: 'revoke', partitions: revoked };
    const added = missing(this.#target, this.#owned);
    return added.length > 0 ? { kind: 'assign', partitions: added } : undefined;
  }

  /** Ends the membership; returns the last heartbeat, or nothing when the coordinator knows no such member. */
  leave(): ConsumerGroupHeartbeatRequest | undefined {
    const known = this.#phase === 'member' || this.#phase === 'joining';
    this.#phase = 'left';
    this.#owned.clear();
    this.#target = new Map();
    this.#epoch = JOIN_EPOCH;
    this.#sendAll = true;
    if (!known) return undefined;
    const { groupId, memberId, instanceId } = this.#options;
    return {
      groupId,
      memberId,
      memberEpoch: instanceId === null ? LEAVE_EPOCH : LEAVE_STATIC_EPOCH,
      instanceId,
      rackId: null,
      rebalanceTimeoutMs: -1,
      subscribedTopicNames: null,
      serverAssignor: null,
      topicPartitions: null,
    };
  }

  #join(nowMs: number): void {
    this.#phase = 'joining';
    this.#failure = undefined;
    this.#epoch = JOIN_EPOCH;
    this.#sendAll = true;
    this.#nextHeartbeatMs = nowMs;
  }

  #ownedByTopic(): { topicId: string; partitions: number[] }[] {
    const byTopic = new Map<string, number[]>();
    for (const { topicId, partition } of [...this.#owned.values(), ...this.#takingUp]) {
      addTo(byTopic, topicId, partition);
    }
    return [...byTopic].map(([topicId, partitions]) => ({ topicId, partitions }));
  }
}

const keyOf = (topicId: string, partition: number): string => `${topicId}:${partition}`;

function missing(from: Map<string, PartitionId>, than: Map<string, PartitionId>): PartitionId[] {
  const result: PartitionId[] = [];
  for (const [key, partition] of from) if (!than.has(key)) result.push(partition);
  return result;
}
