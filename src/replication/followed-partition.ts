/**
 * A partition while this broker follows its leader: the shell around the follower core. The fetcher asks it what to ask
 * the leader, and hands it the answers. One object lives for one leader epoch.
 */

import { errorDefinition, KafkaError } from '../protocol/errors.ts';
import type { PartitionHost } from './host.ts';
import {
  type FetchedPartition,
  type FetchPosition,
  type FollowerAction,
  PartitionFollower,
} from './partition-follower.ts';
import type { PartitionAssignment, ReplicaLog } from './types.ts';

/** Runs an operation on the log that no role change may overlap. */
export type Exclusively = (operation: () => Promise<void>) => Promise<void>;

/** What came of an answer: whether there is reason to ask again at once, and what to await before. */
export interface Applied {
  readonly progressed: boolean;
  readonly done?: Promise<void>;
}

const NOTHING: Applied = { progressed: false };

export class FollowedPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly core: PartitionFollower;
  readonly #host: PartitionHost;
  readonly #log: ReplicaLog;
  readonly #exclusively: Exclusively;
  #retryAtMs = 0;
  #failures = 0;
  #isOver = false;
  #syncWaiters: (() => void)[] = [];

  constructor(
    host: PartitionHost,
    assignment: PartitionAssignment,
    log: ReplicaLog,
    exclusively: Exclusively,
  ) {
    this.topicId = assignment.topicId;
    this.partition = assignment.partition;
    this.#host = host;
    this.#log = log;
    this.#exclusively = exclusively;
    this.core = new PartitionFollower(assignment.leader, assignment.leaderEpoch, log);
  }

  /** After an error it is left out of fetches until then. */
  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  get logStartOffset(): number {
    return this.#log.logStartOffset;
  }

  position(): FetchPosition {
    return this.core.position();
  }

  /** Acts on the answer to `asked`. */
  apply(asked: FetchPosition, answer: FetchedPartition): Applied {
    if (this.#isOver) return NOTHING;
    const action = this.core.onResponse(asked, answer);
    switch (action.kind) {
      case 'drop':
        return NOTHING;
      case 'backOff':
        this.#backOff(action.errorCode);
        return { progressed: true };
      case 'append':
        return this.#append(action.records, answer);
      case 'truncate':
      case 'reset':
        return { progressed: true, done: this.#cut(action, answer) };
    }
  }

  /** Resolves when all that was appended is durable, or the role is over; undefined: it is already. */
  synced(): Promise<void> | undefined {
    if (this.#isOver || this.#log.syncedOffset >= this.#log.logEndOffset) return undefined;
    return new Promise((resolve) => this.#syncWaiters.push(resolve));
  }

  onSynced(): void {
    if (this.#syncWaiters.length > 0 && this.#log.syncedOffset >= this.#log.logEndOffset) this.#wakeWaiters();
  }

  /** The role is over: answers still on their way change nothing any more. */
  end(): void {
    this.#isOver = true;
    this.#wakeWaiters();
  }

  #append(records: readonly Uint8Array[], answer: FetchedPartition): Applied {
    try {
      for (const run of records) this.#log.appendAsFollower(run);
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error;
      this.#backOff(error.errorCode);
      return { progressed: true };
    }
    this.#failures = 0;
    const { highWatermark, logStartOffset } = this.core.progressAfterAppend(answer);
    if (highWatermark > this.#log.highWatermark) this.#log.setHighWatermark(highWatermark);
    const progressed = records.length > 0;
    if (logStartOffset <= this.#log.logStartOffset) return { progressed };
    return { progressed, done: this.#advanceLogStart(logStartOffset) };
  }

  async #advanceLogStart(offset: number): Promise<void> {
    try {
      await this.#log.advanceLogStartOffset(offset);
    } catch (error) {
      // A full disk, or a log that was closed meanwhile: it will follow with a later answer.
      if (!(error instanceof KafkaError)) throw error;
      const { topicId, partition } = this;
      this.#host.logger.warn({ topicId, partition, offset, err: error }, 'Could not advance the log start');
    }
  }

  async #cut(
    action: FollowerAction & { kind: 'truncate' | 'reset' },
    answer: FetchedPartition,
  ): Promise<void> {
    const { topicId, partition } = this;
    const { leaderId, leaderEpoch } = this.core;
    const { logStartOffset, logEndOffset, highWatermark, latestEpoch } = this.#log;
    // Nothing is cut where only a leader epoch without records is given up.
    const isCut = action.kind === 'reset' || action.offset < logEndOffset;
    this.#host.logger[isCut ? 'warn' : 'debug'](
      {
        ...{
          topicId,
          partition,
          leaderId,
          leaderEpoch,
          offset: action.offset,
          diverging: answer.divergingEpoch,
        },
        ...{ logStartOffset, logEndOffset, highWatermark, latestEpoch },
      },
      action.kind === 'reset'
        ? 'Starting over at the log start of the leader'
        : 'Truncating to the log of the leader',
    );
    await this.#exclusively(async () => {
      if (this.#isOver) return;
      if (action.kind === 'reset') await this.#log.resetTo(action.offset);
      else await this.#log.truncateTo(action.offset);
    });
  }

  #backOff(errorCode: number): void {
    const { fetchBackoffMsMin, fetchBackoffMsMax } = this.#host.limits;
    const delayMs = Math.min(fetchBackoffMsMax, fetchBackoffMsMin * 2 ** Math.min(this.#failures++, 10));
    this.#host.events.fetchFailures.add();
    this.#retryAtMs = this.#host.clock.monotonicMs() + delayMs;
    const { topicId, partition } = this;
    const { leaderId, leaderEpoch } = this.core;
    const error = errorDefinition(errorCode).name;
    // The leader tells that it refused; mostly it has yet to hear that it leads.
    this.#host.logger.debug(
      { topicId, partition, leaderId, leaderEpoch, error, delayMs },
      'Could not fetch from the leader, will try again',
    );
  }

  #wakeWaiters(): void {
    const waiters = this.#syncWaiters;
    this.#syncWaiters = [];
    for (const wake of waiters) wake();
  }
}
