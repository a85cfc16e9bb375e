/**
 * One replica on this broker: opens its log and takes over the role that the metadata assigns. The roles themselves are
 * `led-partition.ts` and `followed-partition.ts`.
 *
 * A role change ends the old role at once; the new one begins when what is under way on the log (opening, truncating)
 * has ended. Only the newest assignment counts by then.
 */

import { asError } from '../platform/as-error.ts';
import { ERROR_CODE, type ErrorName, KafkaError } from '../protocol/errors.ts';
import { FollowedPartition } from './followed-partition.ts';
import type { PartitionHost } from './host.ts';
import {
  type CurrentLeader,
  type FetchEntry,
  LedPartition,
  type PartitionOwner,
  type ProducedPartition,
} from './led-partition.ts';
import type { FetchedPartition } from './partition-follower.ts';
import type { PartitionAssignment, ReplicaLog } from './types.ts';
import { PartitionWaiters } from './waiters.ts';

export type PartitionState = 'opening' | 'leader' | 'follower' | 'idle' | 'corrupt' | 'closed';

/** After the disk was full. */
const OPEN_RETRY_MS = 1_000;

export class Partition implements PartitionOwner {
  readonly topicId: string;
  readonly partition: number;
  readonly waiters: PartitionWaiters;
  readonly #host: PartitionHost;
  #assignment: PartitionAssignment;
  #state: PartitionState = 'opening';
  #log: ReplicaLog | undefined;
  #led: LedPartition | undefined;
  #followed: FollowedPartition | undefined;
  /** The log is being opened, cut or rebuilt: no new role until that ended. */
  #busy: Promise<void> | undefined;
  #retryAtMs = 0;
  /** The leader epoch that this broker asked to be relieved of. */
  #relievedEpoch = -1;

  constructor(host: PartitionHost, assignment: PartitionAssignment) {
    this.topicId = assignment.topicId;
    this.partition = assignment.partition;
    this.#host = host;
    this.#assignment = assignment;
    this.waiters = new PartitionWaiters(host.clock, host.timers);
  }

  get state(): PartitionState {
    return this.#state;
  }

  get assignment(): PartitionAssignment {
    return this.#assignment;
  }

  get log(): ReplicaLog | undefined {
    return this.#log;
  }

  /** Set while this broker leads the partition and can serve it. */
  get led(): LedPartition | undefined {
    return this.#led;
  }

  /**
   * The led partition, for a request that believes in `leaderEpoch` (-1: in any) of a follower or a client (-1); or why
   * there is none. An epoch that this broker has not heard of yet, and one that is over, are told apart (KIP-320).
   */
  ledFor(leaderEpoch: number, replicaId: number): LedPartition | ErrorName {
    const known = this.#assignment.leaderEpoch;
    if (leaderEpoch > known) return 'UNKNOWN_LEADER_EPOCH';
    if (leaderEpoch >= 0 && leaderEpoch < known) return 'FENCED_LEADER_EPOCH';
    if (!this.#led) return this.#state === 'corrupt' ? 'KAFKA_STORAGE_ERROR' : 'NOT_LEADER_OR_FOLLOWER';
    if (replicaId < 0 && this.#host.isFenced()) return 'NOT_LEADER_OR_FOLLOWER';
    return this.#led;
  }

  /**
   * Set while the log is opened that this broker is to lead: settles when that is done. Clients come as soon as they
   * know of a new topic, which is before its log is on disk.
   */
  get opening(): Promise<void> | undefined {
    const isToLead = this.#state === 'opening' && this.#assignment.leader === this.#host.nodeId;
    return isToLead && this.#host.isRegistered() && !this.#host.isFenced() ? this.#busy : undefined;
  }

  currentLeader(): CurrentLeader {
    const { leader, leaderEpoch } = this.#assignment;
    const isUnsure = leader === this.#host.nodeId && (this.#host.isFenced() || !this.#led);
    return { leaderId: isUnsure ? -1 : leader, leaderEpoch };
  }

  /** Set while this broker follows another one. */
  get followed(): FollowedPartition | undefined {
    return this.#followed;
  }

  /** Takes over committed metadata; what is older than what is known already is ignored. */
  assign(assignment: PartitionAssignment): void {
    const before = this.#assignment;
    if (this.#state === 'closed' || isOlder(assignment, before)) return;
    this.#assignment = assignment;
    if (assignment.logConfig !== before.logConfig) this.#log?.setConfig(assignment.logConfig);
    const keepsRole =
      assignment.leaderEpoch === before.leaderEpoch &&
      assignment.leader === before.leader &&
      this.#isReplica(assignment) === this.#isReplica(before);
    if (!keepsRole) this.#endRole();
    this.#led?.update(assignment);
    this.converge();
  }

  /** Moves towards the role of the newest assignment, as far as that is possible now. */
  converge(): void {
    if (this.#busy || this.#state === 'closed' || this.#led || this.#followed) return;
    if (this.#host.clock.monotonicMs() < this.#retryAtMs) return;
    if (!this.#host.isRegistered() || !this.#isReplica(this.#assignment)) return;
    if (!this.#log) {
      void this.#exclusively(() => this.#openLog());
      return;
    }
    const { leader, leaderEpoch } = this.#assignment;
    if (this.#log.failed) this.#standDown();
    else if (leader === this.#host.nodeId) this.#becomeLeader(this.#log);
    else if (leader >= 0) this.#becomeFollower(this.#log);
    else if (this.#state !== 'idle') this.#enter('idle', { leaderEpoch }, 'Nobody leads the partition');
  }

  tick(nowMs: number): void {
    if (this.#log?.failed && this.#state !== 'corrupt' && !this.#busy) this.#standDown();
    this.#led?.tick(nowMs);
    if (this.#led && this.#log?.isDiskFull) this.#leadElsewhere();
    if (this.#state === 'corrupt') this.#askToBeRelieved();
    if (this.#retryAtMs > 0 && nowMs >= this.#retryAtMs) {
      this.#retryAtMs = 0;
      this.converge();
    }
  }

  onFenced(): void {
    // What waits for the high watermark is safe by construction; what waits for this disk alone may be gone.
    this.waiters.writes.abandon();
    this.#host.wakeFetches(this.waiters.consumerFetches);
  }

  /** Ends the role for good; the log stays on disk. */
  close(): void {
    this.#endRole();
    this.waiters.abandonProduces();
    this.#state = 'closed';
    this.#host.damageChanged(this, false);
  }

  /** The topic was removed, and that is committed: the log goes too. */
  async remove(): Promise<void> {
    this.close();
    while (this.#busy) await this.#busy;
    this.#log = undefined;
    if (!this.#host.logs.get(this.topicId, this.partition)) return;
    await this.#host.logs.remove(this.topicId, this.partition);
    this.#host.logger.info(this.#ids(), 'Removed the log of a removed topic');
  }

  #ids(): { topicId: string; partition: number } {
    return { topicId: this.topicId, partition: this.partition };
  }

  #isReplica(assignment: PartitionAssignment): boolean {
    return assignment.replicas.includes(this.#host.nodeId);
  }

  #becomeLeader(log: ReplicaLog): void {
    this.#led = new LedPartition(this.#host, this, log);
    const { leaderEpoch, isr, partitionEpoch } = this.#assignment;
    const { logEndOffset, highWatermark } = log;
    this.#enter('leader', { leaderEpoch, isr, partitionEpoch, logEndOffset, highWatermark }, 'Became leader');
    this.#led.onSynced();
    this.#led.afterStep();
  }

  #becomeFollower(log: ReplicaLog): void {
    const { leader, leaderEpoch } = this.#assignment;
    const followed = new FollowedPartition(this.#host, this.#assignment, log, (operation) =>
      this.#exclusively(operation),
    );
    this.#followed = followed;
    const { logEndOffset, highWatermark, latestEpoch } = log;
    this.#enter(
      'follower',
      { leader, leaderEpoch, logEndOffset, highWatermark, latestEpoch },
      'Became follower',
    );
    // What it appended as a leader may not be on disk yet, and its first fetch would say that it is.
    const synced = followed.synced();
    if (!synced) this.#host.startFollowing(followed);
    else
      void synced.then(() => {
        if (this.#followed === followed) this.#host.startFollowing(followed);
      });
  }

  #enter(state: PartitionState, fields: object, message: string): void {
    this.#state = state;
    this.#host.logger.info({ ...this.#ids(), ...fields }, message);
  }

  /** Whoever waits on the role learns at once that it is over. */
  #endRole(): void {
    if (this.#followed) this.#host.stopFollowing(this.#followed);
    this.#followed?.end();
    this.#followed = undefined;
    const wasLeader = this.#led !== undefined;
    this.#led?.end();
    this.#led = undefined;
    if (this.#state !== 'corrupt') this.#state = 'opening';
    if (!wasLeader) return;
    // A leader that goes on in a later epoch never truncates in between: what waits for its offsets still may.
    const { leader } = this.#assignment;
    if (leader !== this.#host.nodeId) this.waiters.abandonProduces();
    this.#host.wakeFetches(this.waiters.followerFetches);
    this.#host.wakeFetches(this.waiters.consumerFetches);
  }

  async #openLog(): Promise<void> {
    const { logs, logger } = this.#host;
    const { topicId, partition, logConfig } = this.#assignment;
    const log = logs.get(topicId, partition) ?? (await logs.create(topicId, partition, logConfig));
    log.setConfig(this.#assignment.logConfig);
    log.onSynced = () => this.#onSynced();
    this.#log = log;
    const { logStartOffset, logEndOffset, highWatermark, failed } = log;
    logger.info({ ...this.#ids(), logStartOffset, logEndOffset, highWatermark, failed }, 'Opened the log');
  }

  #onSynced(): void {
    this.#led?.onSynced();
    this.#followed?.onSynced();
  }

  /** Runs one operation on the log that no new role may overlap, then converges on the assignment of that moment. */
  async #exclusively(operation: () => Promise<void>): Promise<void> {
    while (this.#busy) await this.#busy;
    const run = operation()
      .catch((error: unknown) => this.#onFailure(error))
      .finally(() => {
        this.#busy = undefined;
        this.converge();
      });
    this.#busy = run;
    await run;
  }

  /** A full disk may pass, a log that is being closed needs nothing more; anything else should not be. */
  #onFailure(error: unknown): void {
    if (!(error instanceof KafkaError)) {
      this.#host.crash(asError(error));
    }
    const delayMs = OPEN_RETRY_MS;
    this.#retryAtMs = this.#host.clock.monotonicMs() + delayMs;
    this.#host.logger.warn(
      { ...this.#ids(), reason: asError(error).message, delayMs },
      'Could not open or cut the log, will try again',
    );
  }

  /**
   * A leader that cannot write blocks its partition for as long as its disk is full, while other replicas in sync have
   * room. Where there is none, it keeps the partition: its records can still be read.
   */
  #leadElsewhere(): void {
    const { leaderEpoch, isr } = this.#assignment;
    if (isr.length < 2) return;
    if (leaderEpoch !== this.#relievedEpoch)
      this.#host.logger.warn({ ...this.#ids(), leaderEpoch, isr }, 'The disk is full, another should lead');
    this.#relievedEpoch = leaderEpoch;
    this.#host.cannotLead(this, leaderEpoch);
  }

  /**
   * The log is damaged: the replica neither leads nor follows, and the controller is told, which has another one lead.
   * Only once committed metadata says that it is in neither the ISR nor the ELR (it can then not be elected for what it
   * lost), and that another replica leads, the damaged log goes to the trash and an empty one is filled from the
   * leader. From there on it is like any new replica: it enters the ISR by catching up. Where there is no other copy, the
   * partition has no leader until somebody mends this one, or elects a replica that lags (unclean).
   */
  #standDown(): void {
    if (this.#state !== 'corrupt') {
      this.#endRole();
      this.waiters.abandonProduces();
      const { leader, leaderEpoch, isr, elr } = this.#assignment;
      this.#enter(
        'corrupt',
        { leader, leaderEpoch, isr, elr },
        'The replica stands down until it is rebuilt',
      );
      this.#host.damageChanged(this, true);
    }
    const { leader, isr, elr } = this.#assignment;
    const { nodeId } = this.#host;
    const isSafe = leader >= 0 && isr.includes(leader) && !isr.includes(nodeId) && !elr.includes(nodeId);
    if (isSafe) void this.#exclusively(() => this.#discardLog());
  }

  /** A controller that cannot be told of one replica can still fence the whole broker, and so have another one lead. */
  #askToBeRelieved(): void {
    const { leader, leaderEpoch, isr } = this.#assignment;
    if (leader !== this.#host.nodeId || isr.length < 2 || this.#host.canTellDamage()) return;
    if (leaderEpoch === this.#relievedEpoch) return;
    this.#relievedEpoch = leaderEpoch;
    this.#host.cannotLead(this, leaderEpoch);
  }

  async #discardLog(): Promise<void> {
    this.#host.logger.warn({ ...this.#ids(), leader: this.#assignment.leader }, 'Rebuilding the replica');
    this.#host.events.rebuilds.add();
    await this.#host.logs.remove(this.topicId, this.partition);
    this.#log = undefined;
    this.#state = 'opening';
    this.#host.damageChanged(this, false);
  }
}

/** The answer to a fetch that cannot be served here. */
export function fetchRefusal(
  partition: Partition | undefined,
  entry: FetchEntry,
  code: ErrorName = partition ? 'NOT_LEADER_OR_FOLLOWER' : 'UNKNOWN_TOPIC_ID',
): FetchedPartition {
  return {
    partitionIndex: entry.partition,
    errorCode: ERROR_CODE[code],
    highWatermark: -1,
    lastStableOffset: -1,
    logStartOffset: -1,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: partition?.currentLeader() ?? { leaderId: -1, leaderEpoch: -1 },
    preferredReadReplica: -1,
    records: [],
  };
}

/** The answer to a produce request that cannot be served here. */
export function produceRefusal(
  partition: Partition | undefined,
  index: number,
  code: ErrorName = partition ? 'NOT_LEADER_OR_FOLLOWER' : 'UNKNOWN_TOPIC_ID',
  errorMessage: string | null = null,
): ProducedPartition {
  return {
    index,
    errorCode: ERROR_CODE[code],
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    errorMessage,
    currentLeader: partition?.currentLeader() ?? { leaderId: -1, leaderEpoch: -1 },
  };
}

function isOlder(assignment: PartitionAssignment, than: PartitionAssignment): boolean {
  return (
    assignment.leaderEpoch < than.leaderEpoch ||
    (assignment.leaderEpoch === than.leaderEpoch && assignment.partitionEpoch < than.partitionEpoch)
  );
}
