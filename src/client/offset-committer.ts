/** Commits offsets, one request at a time: a late answer or a retry of an old commit can never undo a newer one. */

import { ERROR_CODE, type ErrorName, errorFor } from '../protocol/errors.ts';
import {
  OffsetCommit,
  type OffsetCommitRequest,
  type OffsetCommitResponse,
} from '../protocol/messages/offset-commit.ts';
import type { Cluster } from './cluster.ts';
import { ClientError } from './errors.ts';
import { addTo } from './grouping.ts';

export interface Commit {
  readonly topicId: string;
  readonly partition: number;
  readonly offset: number;
  readonly leaderEpoch: number;
  readonly metadata: string | null;
}

/** Who commits; for a consumer that does not subscribe (`assign`): no member, epoch -1. */
export interface CommitIdentity {
  readonly memberId: string;
  readonly epoch: number;
  readonly instanceId: string | null;
}

/** The group has gone on without this member. */
const FENCED: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'FENCED_MEMBER_EPOCH',
  'UNKNOWN_MEMBER_ID',
  'ILLEGAL_GENERATION',
  'FENCED_INSTANCE_ID',
]);

export class OffsetCommitter {
  readonly #cluster: Cluster;
  readonly #group: string;
  readonly #identity: () => CommitIdentity | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(cluster: Cluster, group: string, identity: () => CommitIdentity | undefined) {
    this.#cluster = cluster;
    this.#group = group;
    this.#identity = identity;
  }

  /** Commits after everything that was to be committed before; retries until the deadline (monotonic). */
  commit(commits: readonly Commit[], deadlineMs: number): Promise<void> {
    if (commits.length === 0) return this.#last;
    const committed = this.#last.then(() => this.#cluster.retry(deadlineMs, () => this.#send(commits)));
    this.#last = committed.catch(() => {});
    return committed;
  }

  /** Resolves once every commit so far has been answered or given up. */
  get settled(): Promise<void> {
    return this.#last;
  }

  async #send(commits: readonly Commit[]): Promise<void> {
    // Read anew at each attempt: the member's epoch may have been raised meanwhile (STALE_MEMBER_EPOCH).
    const identity = this.#identity();
    if (identity === undefined) {
      throw new ClientError(
        'COMMIT_FAILED',
        `this consumer is not (yet, or any more) in group ${this.#group}`,
      );
    }
    const response = await this.#cluster.coordinators.send(
      this.#group,
      OffsetCommit,
      this.#requestOf(commits, identity),
      errorOf,
    );
    const errorCode = errorOf(response);
    if (errorCode === ERROR_CODE.NONE) return;
    const error = errorFor(errorCode);
    if (!FENCED.has(error.code)) throw error;
    const message = `group ${this.#group} has gone on without this member: ${error.message}`;
    throw new ClientError('COMMIT_FAILED', message, { cause: error });
  }

  #requestOf(
    commits: readonly Commit[],
    { memberId, epoch, instanceId }: CommitIdentity,
  ): OffsetCommitRequest {
    const topics = new Map<string, OffsetCommitRequest['topics'][number]['partitions']>();
    for (const { topicId, partition, offset, leaderEpoch, metadata } of commits) {
      addTo(topics, topicId, {
        partitionIndex: partition,
        committedOffset: offset,
        committedLeaderEpoch: leaderEpoch,
        committedMetadata: metadata,
      });
    }
    return {
      groupId: this.#group,
      generationIdOrMemberEpoch: epoch,
      memberId,
      groupInstanceId: instanceId,
      topics: [...topics].map(([topicId, partitions]) => ({ topicId, partitions })),
    };
  }
}

function errorOf({ topics }: OffsetCommitResponse): number {
  for (const { partitions } of topics) {
    for (const { errorCode } of partitions) if (errorCode !== ERROR_CODE.NONE) return errorCode;
  }
  return ERROR_CODE.NONE;
}
