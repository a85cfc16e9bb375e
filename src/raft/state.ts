import { CATALOGUE_VERSION } from '../protocol/catalogue-version.ts';
import { LogView } from './log-view.ts';
import type { Progress } from './progress.ts';
import type {
  Effect,
  Entry,
  HardState,
  RaftLimits,
  ReplicaKey,
  Request,
  Response,
  Role,
  SnapshotMeta,
  Voter,
} from './types.ts';
import { isSame, keyOf } from './types.ts';
import { isIn, VOTER_SETS_SINCE } from './voter-set.ts';

/** What a core starts from: what the disk held. */
export interface RaftStart {
  readonly self: ReplicaKey;
  /** Whom a replica asks for the leader, beside the voters: those of its configuration. */
  readonly seeds?: readonly ReplicaKey[];
  readonly hardState: HardState;
  readonly snapshot: SnapshotMeta;
  readonly entries: readonly Entry[];
  readonly limits: RaftLimits;
  /** The version of the catalogue that all replicas can read; the newest by default. */
  readonly catalogueLevel?: number;
  /** Any 32-bit number; it must differ between the nodes, or their elections tie. */
  readonly randomSeed: number;
}

/** A snapshot on its way in. */
export interface IncomingSnapshot {
  readonly meta: SnapshotMeta;
  readonly chunks: Uint8Array[];
  receivedBytes: number;
}

/**
 * The state that the roles share, and the few moves that every role makes. Role files hold the rules; this one only
 * keeps the books: what changed since the last step and must be persisted, and what is to be sent.
 */
export class RaftState {
  readonly self: ReplicaKey;
  readonly seeds: readonly ReplicaKey[];
  readonly limits: RaftLimits;
  readonly log: LogView;

  role: Role;
  epoch: number;
  votedFor: ReplicaKey | undefined;
  leaderId: number | undefined;
  commitIndex: number;
  appliedIndex: number;
  snapshot: SnapshotMeta;
  catalogueLevel: number;

  /** The highest epoch whose hard state is known to be durable. */
  syncedEpoch: number;
  /** When this node last heard the leader of its epoch; -Infinity without a lease. */
  leaderContactMs = Number.NEGATIVE_INFINITY;
  /** The last leader but itself that was heard, in whatever epoch, and when. */
  lastLeader: { readonly id: number; readonly contactMs: number } | undefined;
  /** When a node that does not lead acts again: pre-vote, retry, hello. */
  electionDeadlineMs = Number.POSITIVE_INFINITY;
  /** Failed elections in a row. */
  electionAttempts = 0;
  /** Quick pre-votes left after a hint that the leader's process is gone. */
  hintedAttempts = 0;
  /** Answers of the present (pre-)vote round, by replica key. */
  votes = new Map<string, boolean>();

  /** Leader only. */
  replicas = new Map<string, Progress>();
  epochStartIndex = 0;
  /** This epoch has committed an entry of its own, so this leader knows all that is committed. */
  noOpCommitted = false;
  needsFlush = false;
  /** Finite while this leader hands over. */
  resignDeadlineMs = Number.POSITIVE_INFINITY;
  handoverAskedMs = Number.NEGATIVE_INFINITY;
  wipedSoughtMs = Number.NEGATIVE_INFINITY;

  incoming: IncomingSnapshot | undefined;
  received: { readonly meta: SnapshotMeta; readonly bytes: Uint8Array } | undefined;
  helloTurn = 0;

  #hardStateChanged = false;
  #outbox: Effect[] = [];
  #random: number;

  constructor(start: RaftStart) {
    this.self = start.self;
    this.seeds = start.seeds ?? [];
    this.limits = start.limits;
    this.log = new LogView(start.snapshot, start.entries);
    this.epoch = start.hardState.epoch;
    this.syncedEpoch = this.epoch;
    this.votedFor = start.hardState.votedFor;
    this.snapshot = start.snapshot;
    this.catalogueLevel = start.catalogueLevel ?? CATALOGUE_VERSION;
    this.commitIndex = start.snapshot.index;
    this.appliedIndex = start.snapshot.index;
    this.#random = start.randomSeed >>> 0;
    if (this.log.lastEpoch > this.epoch) {
      throw new Error(`the log ends in epoch ${this.log.lastEpoch}, above the hard state's ${this.epoch}`);
    }
    // A node that voted for itself may have led this epoch and lost an unsynced tail of it: it never resumes the
    // epoch (KAFKA-10527). No voter role can anyway: becoming leader needs an epoch of its own.
    const ledOnce = this.votedFor !== undefined && isSame(this.votedFor, this.self);
    this.role = this.isVoter ? (ledOnce ? 'resigned' : 'unattached') : 'observer';
  }

  /** A float in [0, 1) (mulberry32): chance comes in as a seed, so that a run can be replayed. */
  random(): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0;
    let t = this.#random;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  between(lowMs: number, highMs: number): number {
    return lowMs + this.random() * (highMs - lowMs);
  }

  /** By the last voter set in the log, committed or not: it counts from its append on (thesis 4.1). */
  get voters(): readonly Voter[] {
    return this.log.voterSet.voters;
  }

  get isVoter(): boolean {
    return this.isVoterKey(this.self);
  }

  /**
   * May it stand for election? So may a voter whose removal is not known to be committed (thesis 4.2.2): its log may be
   * the one that the others cannot pass by, and they could not elect anybody else. It does not count its own vote.
   */
  get mayStand(): boolean {
    return this.isVoter || this.log.voterSetsSince(this.commitIndex).some((set) => isIn(set, this.self));
  }

  /** May entries name the voters? A replica of an older release would lose what they say. */
  get mayNameVoters(): boolean {
    return this.catalogueLevel >= VOTER_SETS_SINCE;
  }

  get quorumSize(): number {
    return Math.floor(this.voters.length / 2) + 1;
  }

  /** Is the hard state of the present epoch durable? Until then no reply may promise anything in it. */
  get isEpochSynced(): boolean {
    return this.syncedEpoch >= this.epoch && !this.#hardStateChanged;
  }

  isSelf(replica: ReplicaKey): boolean {
    return isSame(replica, this.self);
  }

  isVoterKey(replica: ReplicaKey): boolean {
    return isIn(this.log.voterSet, replica);
  }

  /** The log changed: a replica that follows does so with or without a vote. */
  settleRole(): void {
    if (this.role === 'follower' || this.role === 'observer')
      this.role = this.isVoter ? 'follower' : 'observer';
  }

  setHardState(epoch: number, votedFor: ReplicaKey | undefined): void {
    if (epoch < this.epoch) throw new Error(`the epoch cannot go back from ${this.epoch} to ${epoch}`);
    if (epoch === this.epoch && this.votedFor !== undefined) {
      throw new Error(`voted for ${keyOf(this.votedFor)} in epoch ${epoch} already`);
    }
    this.epoch = epoch;
    this.votedFor = votedFor;
    this.#hardStateChanged = true;
  }

  setCommitIndex(index: number): void {
    if (index < this.commitIndex || index > this.log.lastIndex) {
      throw new Error(`commit index ${index} outside ${this.commitIndex}..${this.log.lastIndex}`);
    }
    this.commitIndex = index;
  }

  send(to: ReplicaKey, request: Request, order: { afterSync: boolean }): void {
    this.#outbox.push({ kind: 'send', to, request, afterSync: order.afterSync });
  }

  reply(token: number, response: Response, order: { afterSync: boolean }): void {
    this.#outbox.push({ kind: 'reply', token, response, afterSync: order.afterSync });
  }

  emit(effect: Effect): void {
    this.#outbox.push(effect);
  }

  note(message: string, fields: object = {}): void {
    this.#outbox.push({ kind: 'note', fields: { epoch: this.epoch, ...fields }, message });
  }

  /** Everything this step decided, in the order in which the driver must begin it: the write comes first. */
  takeEffects(): Effect[] {
    const effects: Effect[] = [];
    const entries = this.log.takeUnpersisted();
    if (this.#hardStateChanged || entries.length > 0 || this.received) {
      effects.push({
        kind: 'persist',
        hardState: this.#hardStateChanged ? { epoch: this.epoch, votedFor: this.votedFor } : undefined,
        snapshot: this.received,
        entries,
        epoch: this.epoch,
        index: this.log.lastIndex,
        generation: this.log.generation,
      });
    }
    if (this.received) {
      effects.push({ kind: 'restore', snapshot: this.received.meta, bytes: this.received.bytes });
    }
    this.#hardStateChanged = false;
    this.received = undefined;
    if (this.commitIndex > this.appliedIndex) {
      effects.push({ kind: 'apply', entries: this.log.slice(this.appliedIndex + 1, this.commitIndex) });
      this.appliedIndex = this.commitIndex;
    }
    const outbox = this.#outbox;
    this.#outbox = [];
    return [...effects, ...outbox];
  }
}
