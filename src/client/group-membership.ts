/** A subscribed consumer's part in its group: the member, the heartbeats that keep it alive, the steps they bring. */

import { uuidFrom } from '../protocol/uuid.ts';
import type { Cluster } from './cluster.ts';
import type {
  ConsumerSettings,
  GroupMetadata,
  RebalanceListener,
  TopicPartition,
} from './consumer-options.ts';
import type { ConsumerWatch } from './consumer-stats.ts';
import type { FetchPositions, PartitionState } from './fetch-positions.ts';
import { GroupMember } from './group-member.ts';
import { GroupSession } from './group-session.ts';
import type { CommitIdentity } from './offset-committer.ts';
import { Rebalancer } from './rebalancer.ts';

const MEMBER_ID_BYTES = 16;

export class GroupMembership {
  readonly member: GroupMember;
  readonly #cluster: Cluster;
  readonly #groupId: string;
  readonly #instanceId: string | null;
  readonly #session: GroupSession;
  readonly #rebalancer: Rebalancer;

  constructor(
    cluster: Cluster,
    positions: FetchPositions,
    watch: ConsumerWatch,
    settings: ConsumerSettings & { readonly group: string },
    commitDone: (states: readonly PartitionState[]) => Promise<void>,
    onChange: () => void,
  ) {
    const { group, groupInstanceId, rackId, assignor, from, limits } = settings;
    this.#cluster = cluster;
    this.#groupId = group;
    this.#instanceId = groupInstanceId;
    this.member = new GroupMember({
      groupId: group,
      memberId: uuidFrom(cluster.runtime.random.bytes(MEMBER_ID_BYTES)),
      instanceId: groupInstanceId,
      rackId,
      rebalanceTimeoutMs: limits.rebalanceTimeoutMs,
      serverAssignor: assignor,
    });
    this.#rebalancer = new Rebalancer(cluster, positions, this.member, from, commitDone, group, watch);
    this.#session = new GroupSession(cluster, group, this.member, watch, onChange);
  }

  /** As whom this consumer commits; undefined while it is in no group. */
  get identity(): CommitIdentity | undefined {
    const { memberId, epoch } = this.member;
    return epoch < 0 ? undefined : { memberId, epoch, instanceId: this.#instanceId };
  }

  /** What the application is told of that. */
  get metadata(): GroupMetadata | undefined {
    const { identity } = this;
    return identity && { groupId: this.#groupId, memberId: identity.memberId, memberEpoch: identity.epoch };
  }

  subscribe(topics: readonly string[], listener: RebalanceListener): void {
    this.#rebalancer.listener = listener;
    this.member.subscribe(topics, this.#cluster.runtime.clock.monotonicMs());
    this.#session.pump();
  }

  /** Takes every step that can be taken now, and tells the coordinator of each. */
  async reconcile(): Promise<void> {
    await this.#rebalancer.reconcile(() => this.#session.pump());
  }

  /** Tells the listener that these partitions are about to be given up for good. */
  async revokeAll(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#rebalancer.listener.onRevoked?.(partitions);
  }

  /** Says farewell to the coordinator. */
  leave(deadlineMs: number): Promise<void> {
    return this.#session.leave(deadlineMs);
  }
}
