/**
 * What the leader of one partition decides: how far each follower is, who is in sync (KIP-497, KIP-841, KIP-903), and the
 * high watermark: the offset below which every in-sync replica has every record on its disk. A pure core: it reads
 * the log's offsets through a view, does nothing itself, and the shell (`partition.ts`) carries out what it decided.
 *
 * One object lives for one leader epoch: what is known of a follower never outlasts it, so a replica that was removed
 * and came back empty, in one metadata update, counts only from its first fetch in this epoch on.
 */

import { type AlterOutcome, IsrState, type Settled } from './isr-state.ts';
import type { LogView, ReplicationLimits } from './types.ts';

export interface LeaderAssignment {
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly minInSyncReplicas: number;
}

/** A follower asked for records from `fetchOffset` on: all below it is on its disk, and agrees with this log. */
export interface FollowerFetch {
  readonly brokerId: number;
  /** The epoch of the process that fetches: proof of its state, and no longer valid once it restarts (KIP-903). */
  readonly brokerEpoch: number;
  readonly fetchOffset: number;
}

/** An ISR change to send: the replicas with the broker epochs that they were seen with (-1: not seen yet). */
export interface LeaderProposal {
  readonly id: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly isr: readonly { readonly brokerId: number; readonly brokerEpoch: number }[];
}

export type FollowerFetchResult = 'recorded' | 'notAReplica' | 'staleBrokerEpoch';

/** What is known of one follower in this leader epoch. */
interface FollowerState {
  readonly brokerId: number;
  brokerEpoch: number;
  /** Its durable log end; -1 until it fetched in this leader epoch. */
  fetchOffset: number;
  lastFetchMs: number;
  /** This log's end when the follower fetched last. */
  lastFetchLeaderEnd: number;
  /** The last moment at which it had all that there was. */
  lastCaughtUpMs: number;
  /** The controller refused it (fenced, shutting down, restarted): not proposed again before. */
  ineligibleUntilMs: number;
}

type LeaderLimits = Pick<
  ReplicationLimits,
  'replicaLagTimeMaxMs' | 'joinWaitMsMax' | 'alterBackoffMsMin' | 'alterBackoffMsMax'
>;

const NEVER = Number.NEGATIVE_INFINITY;

export class PartitionLeader {
  readonly leaderEpoch: number;
  /** Where this leader epoch begins in the log. */
  readonly epochStartOffset: number;
  readonly #nodeId: number;
  readonly #log: LogView;
  readonly #limits: LeaderLimits;
  readonly #isr: IsrState;
  #replicaCount: number;
  #minInSyncReplicas: number;
  #followers: readonly FollowerState[];
  #highWatermark: number;

  constructor(
    nodeId: number,
    assignment: LeaderAssignment,
    log: LogView,
    limits: LeaderLimits,
    nowMs: number,
  ) {
    this.#nodeId = nodeId;
    this.#log = log;
    this.#limits = limits;
    this.leaderEpoch = assignment.leaderEpoch;
    this.epochStartOffset = log.logEndOffset;
    this.#highWatermark = log.highWatermark;
    this.#isr = new IsrState(assignment.isr, assignment.partitionEpoch, limits);
    this.#replicaCount = assignment.replicas.length;
    this.#minInSyncReplicas = assignment.minInSyncReplicas;
    // Members of the ISR start with a full lag time of grace; nobody's position is known.
    this.#followers = this.#followersOf(assignment.replicas, (id) =>
      newFollower(id, this.#isr.committed.has(id) ? nowMs : NEVER),
    );
    this.#advanceHighWatermark(nowMs);
  }

  get highWatermark(): number {
    return this.#highWatermark;
  }

  /** Every record below is on all in-sync replicas: what `acks=all` waits for. */
  get acknowledgedOffset(): number {
    return this.#highWatermark;
  }

  get isr(): ReadonlySet<number> {
    return this.#isr.committed;
  }

  get maximalIsr(): ReadonlySet<number> {
    return this.#isr.maximal;
  }

  get partitionEpoch(): number {
    return this.#isr.partitionEpoch;
  }

  /** KIP-207: until then the high watermark may be older than what the last leader served and acknowledged. */
  get isHighWatermarkCurrent(): boolean {
    return this.#highWatermark >= this.epochStartOffset;
  }

  /** Whether `min.insync.replicas` is met, by the committed ISR: a proposed member does not help yet. */
  get hasEnoughReplicas(): boolean {
    return this.#isr.committed.size >= Math.min(this.#minInSyncReplicas, this.#replicaCount);
  }

  /** Committed metadata of this leader epoch, in any order with the replies to proposals. True: it was news. */
  update(assignment: LeaderAssignment, nowMs: number): boolean {
    const before = this.#isr.maximal;
    this.#minInSyncReplicas = assignment.minInSyncReplicas;
    if (!this.#isr.update(assignment.isr, assignment.partitionEpoch)) {
      this.#advanceHighWatermark(nowMs);
      return false;
    }
    this.#replicaCount = assignment.replicas.length;
    const known = new Map(this.#followers.map((follower) => [follower.brokerId, follower]));
    this.#followers = this.#followersOf(assignment.replicas, (id) => known.get(id) ?? newFollower(id, NEVER));
    this.#forgetThoseWhoLeft(before);
    this.#advanceHighWatermark(nowMs);
    return true;
  }

  /** More of the own log is durable. True: the high watermark moved. */
  onSynced(nowMs: number): boolean {
    return this.#advanceHighWatermark(nowMs);
  }

  /** A follower's fetch in this leader epoch, after its position was found to agree with the log. */
  onFollowerFetch(fetch: FollowerFetch, nowMs: number): FollowerFetchResult {
    const follower = this.#followers.find(({ brokerId }) => brokerId === fetch.brokerId);
    if (!follower) return 'notAReplica';
    // Sent before that broker restarted: it proves nothing of what the new process has (KIP-903).
    if (fetch.brokerEpoch < Math.max(0, follower.brokerEpoch)) return 'staleBrokerEpoch';
    this.#recordFetch(follower, fetch, nowMs);
    this.#maybeProposeExpansion(follower, nowMs);
    this.#advanceHighWatermark(nowMs);
    return 'recorded';
  }

  /** Time passed: members that lag leave the ISR. */
  tick(nowMs: number): void {
    if (!this.#isr.isPending) this.#maybeProposeShrink(nowMs);
    // A caught-up follower that stalled no longer holds the high watermark back.
    this.#advanceHighWatermark(nowMs);
  }

  hasDueProposal(nowMs: number): boolean {
    return this.#isr.hasDueProposal(nowMs);
  }

  /** The ISR change to send to the controller now, if any. Its outcome must come back through `onAlterOutcome`. */
  takeProposal(nowMs: number): LeaderProposal | undefined {
    const proposal = this.#isr.takeProposal(nowMs);
    if (!proposal) return undefined;
    const epochs = new Map(this.#followers.map(({ brokerId, brokerEpoch }) => [brokerId, brokerEpoch]));
    return {
      id: proposal.id,
      leaderEpoch: this.leaderEpoch,
      partitionEpoch: proposal.partitionEpoch,
      isr: proposal.isr.map((brokerId) => ({ brokerId, brokerEpoch: epochs.get(brokerId) ?? -1 })),
    };
  }

  onAlterOutcome(id: number, outcome: AlterOutcome, nowMs: number): Settled {
    const before = this.#isr.maximal;
    const settled = this.#isr.settle(id, outcome, this.leaderEpoch, nowMs);
    if (settled === 'rolledBack') {
      for (const follower of this.#followers) {
        const refused = before.has(follower.brokerId) && !this.#isr.maximal.has(follower.brokerId);
        if (refused) follower.ineligibleUntilMs = nowMs + this.#limits.alterBackoffMsMax;
      }
    }
    if (settled === 'committed') this.#forgetThoseWhoLeft(before);
    if (settled !== 'stale') this.#advanceHighWatermark(nowMs);
    return settled;
  }

  /** Positions for logs and status pages. */
  describeFollowers(): readonly { readonly brokerId: number; readonly fetchOffset: number }[] {
    return this.#followers.map(({ brokerId, fetchOffset }) => ({ brokerId, fetchOffset }));
  }

  #advanceHighWatermark(nowMs: number): boolean {
    // KIP-966: what fewer than min.insync.replicas have is not committed, or eligible leaders could miss it.
    if (!this.hasEnoughReplicas) return false;
    const counted = this.#isr.maximal;
    let offset = this.#log.syncedOffset;
    for (const follower of this.#followers) {
      if (follower.fetchOffset >= offset) continue;
      if (counted.has(follower.brokerId) || this.#isAboutToJoin(follower, nowMs))
        offset = follower.fetchOffset;
    }
    if (offset <= this.#highWatermark) return false;
    this.#highWatermark = offset;
    return true;
  }

  /**
   * The high watermark waits for a follower that keeps up and will be proposed at its next fetch; under steady load it
   * would run ahead of it forever otherwise. Not for one that the controller refuses.
   */
  #isAboutToJoin(follower: FollowerState, nowMs: number): boolean {
    return (
      follower.fetchOffset >= this.epochStartOffset &&
      nowMs - follower.lastCaughtUpMs <= this.#limits.replicaLagTimeMaxMs &&
      nowMs - follower.lastFetchMs <= this.#limits.joinWaitMsMax &&
      nowMs >= follower.ineligibleUntilMs
    );
  }

  #recordFetch(follower: FollowerState, fetch: FollowerFetch, nowMs: number): void {
    const leaderEnd = this.#log.logEndOffset;
    if (fetch.brokerEpoch > follower.brokerEpoch) {
      follower.brokerEpoch = fetch.brokerEpoch;
      follower.ineligibleUntilMs = NEVER;
      follower.lastFetchLeaderEnd = Number.POSITIVE_INFINITY;
    }
    // It is caught up now, or it just reached what was the end when it asked before: caught up then.
    if (fetch.fetchOffset >= leaderEnd) follower.lastCaughtUpMs = nowMs;
    else if (fetch.fetchOffset >= follower.lastFetchLeaderEnd) {
      follower.lastCaughtUpMs = Math.max(follower.lastCaughtUpMs, follower.lastFetchMs);
    }
    follower.fetchOffset = fetch.fetchOffset;
    follower.lastFetchMs = nowMs;
    follower.lastFetchLeaderEnd = leaderEnd;
  }

  #maybeProposeExpansion(follower: FollowerState, nowMs: number): void {
    if (this.#isr.isPending || this.#isr.maximal.has(follower.brokerId)) return;
    if (nowMs < follower.ineligibleUntilMs) return;
    // Below the epoch's start its log may still hold, or lack, what an earlier leader acknowledged.
    if (follower.fetchOffset < Math.max(this.#highWatermark, this.epochStartOffset)) return;
    this.#isr.propose([...this.#isr.committed, follower.brokerId].sort(ascending), nowMs);
  }

  #maybeProposeShrink(nowMs: number): void {
    const leaderEnd = this.#log.logEndOffset;
    const lags = (follower: FollowerState) =>
      this.#isr.committed.has(follower.brokerId) &&
      follower.fetchOffset !== leaderEnd &&
      nowMs - follower.lastCaughtUpMs > this.#limits.replicaLagTimeMaxMs;
    if (!this.#followers.some(lags)) return;
    const lagging = new Set(this.#followers.filter(lags).map(({ brokerId }) => brokerId));
    this.#isr.propose([...this.#isr.committed].filter((id) => !lagging.has(id)).sort(ascending), nowMs);
  }

  /** Whoever left the ISR (it may be dead) must fetch again before it counts as anything. */
  #forgetThoseWhoLeft(before: ReadonlySet<number>): void {
    for (const follower of this.#followers) {
      if (!before.has(follower.brokerId) || this.#isr.maximal.has(follower.brokerId)) continue;
      follower.fetchOffset = -1;
      follower.lastCaughtUpMs = NEVER;
      follower.lastFetchLeaderEnd = Number.POSITIVE_INFINITY;
    }
  }

  #followersOf(replicas: readonly number[], state: (id: number) => FollowerState): readonly FollowerState[] {
    return replicas.filter((id) => id !== this.#nodeId).map(state);
  }
}

function newFollower(brokerId: number, lastCaughtUpMs: number): FollowerState {
  return {
    brokerId,
    brokerEpoch: -1,
    fetchOffset: -1,
    lastFetchMs: NEVER,
    lastFetchLeaderEnd: Number.POSITIVE_INFINITY,
    lastCaughtUpMs,
    ineligibleUntilMs: NEVER,
  };
}

const ascending = (a: number, b: number) => a - b;
