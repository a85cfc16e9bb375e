/** A consumer's commits: those that the application asks for, and those that it leaves to the clock. */

import { KafkaError } from '../protocol/errors.ts';
import type { Cluster } from './cluster.ts';
import type { ConsumerSettings, PartitionOffset } from './consumer-options.ts';
import { ClientError, closedError } from './errors.ts';
import type { FetchPositions, PartitionState } from './fetch-positions.ts';
import { type Commit, type CommitIdentity, OffsetCommitter } from './offset-committer.ts';
import { Alarm } from './rpc.ts';

export class ConsumerCommits {
  readonly #cluster: Cluster;
  readonly #positions: FetchPositions;
  readonly #settings: ConsumerSettings;
  readonly #committer: OffsetCommitter | undefined;
  readonly #alarm: Alarm;
  #state: 'open' | 'closing' | 'closed' = 'open';

  constructor(
    cluster: Cluster,
    positions: FetchPositions,
    settings: ConsumerSettings,
    identity: () => CommitIdentity | undefined,
  ) {
    this.#cluster = cluster;
    this.#positions = positions;
    this.#settings = settings;
    this.#committer =
      settings.group === undefined ? undefined : new OffsetCommitter(cluster, settings.group, identity);
    this.#alarm = new Alarm(cluster.runtime, () => this.#onAlarm());
  }

  /** Commits these offsets; by default what lies behind every record handed out so far. */
  async commit(offsets: readonly PartitionOffset[] | undefined, deadlineMs: number): Promise<void> {
    if (this.#state === 'closed') throw closedError('consumer');
    if (this.#committer === undefined)
      throw new ClientError('INVALID_STATE', 'commits need a consumer with a group');
    const commits = offsets === undefined ? this.#handedOut() : await this.#resolved(offsets, deadlineMs);
    await this.#committer.commit(commits, deadlineMs);
  }

  /** Commits without being waited for. */
  commitAsync(
    offsets: readonly PartitionOffset[] | undefined,
    deadlineMs: number,
    callback: ((error: Error | undefined) => void) | undefined,
  ): void {
    const { logger } = this.#cluster.runtime;
    this.commit(offsets, deadlineMs).then(
      () => callback?.(undefined),
      (error: Error) => {
        if (callback !== undefined) callback(error);
        else logger.warn({ group: this.#settings.group, err: error }, 'An offset commit failed');
      },
    );
  }

  /**
   * Commits, if that is automatic, what the application is through with. A failure is no catastrophe: those records
   * come again.
   */
  async commitDone(states: readonly PartitionState[], deadlineMs: number): Promise<void> {
    if (!this.#settings.autoCommit) return;
    const { logger } = this.#cluster.runtime;
    const news = states.filter(({ done, committed }) => done.offset >= 0 && done.offset !== committed);
    const commits = news.map(({ topicId, partition, done }) => ({
      topicId,
      partition,
      ...done,
      metadata: null,
    }));
    if (this.#committer === undefined || commits.length === 0) return;
    try {
      await this.#committer.commit(commits, deadlineMs);
      news.forEach((state, i) => {
        state.committed = (commits[i] as Commit).offset;
      });
    } catch (error) {
      const level = error instanceof KafkaError ? 'warn' : 'info';
      logger[level]({ group: this.#settings.group, err: error }, 'An automatic commit failed');
    }
  }

  /** Resolves once every commit so far, whoever asked for it, has been answered or given up. */
  async settled(): Promise<void> {
    await this.#committer?.settled;
  }

  /** Begins, or goes on, to commit now and then. */
  schedule(): void {
    const { autoCommit, limits } = this.#settings;
    if (!autoCommit || this.#committer === undefined || this.#state !== 'open') return;
    this.#alarm.set(this.#nowMs() + limits.autoCommitIntervalMs);
  }

  /** No more commits by the clock; the listener may still commit what it gives up. */
  stopSchedule(): void {
    this.#state = 'closing';
    this.#alarm.clear();
  }

  close(): void {
    this.#state = 'closed';
  }

  #nowMs(): number {
    return this.#cluster.runtime.clock.monotonicMs();
  }

  #onAlarm(): void {
    if (this.#cluster.closed) return;
    const deadlineMs = this.#nowMs() + this.#settings.limits.apiTimeoutMs;
    void this.commitDone([...this.#positions.all()], deadlineMs).then(() => this.schedule());
  }

  #handedOut(): Commit[] {
    const commits: Commit[] = [];
    for (const { topicId, partition, next } of this.#positions.all()) {
      if (next.offset >= 0) commits.push({ topicId, partition, ...next, metadata: null });
    }
    return commits;
  }

  async #resolved(offsets: readonly PartitionOffset[], deadlineMs: number): Promise<Commit[]> {
    const commits: Commit[] = [];
    for (const { topic, partition, offset, leaderEpoch = -1, metadata = null } of offsets) {
      const { topicId } = await this.#cluster.topic(topic, deadlineMs);
      commits.push({ topicId, partition, offset, leaderEpoch, metadata });
    }
    return commits;
  }
}
