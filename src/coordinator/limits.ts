/** The finite numbers of the group coordinator. */

export interface GroupLimits {
  /** A member that sent no heartbeat for this long is removed; a crash is noticed after at most this. */
  readonly groupSessionTimeoutMs: number;
  /**
   * What a new coordinator adds to the first session of each member. A leader that lost its quorum may answer
   * heartbeats until it notices, at most so long: a member that it kept alive must stop before anyone takes over.
   */
  readonly groupTakeoverGraceMs: number;
  /**
   * A member whose connection ended is removed after this, unless it is heard again: a killed process is noticed long
   * before its session ends, and one that lives reconnects within this.
   */
  readonly groupDisconnectGraceMs: number;
  /** How often a member of a settled group is asked to send a heartbeat. */
  readonly groupHeartbeatIntervalMs: number;
  /** The same while the member's assignment still changes, so that a rebalance takes a few of these, not of those. */
  readonly groupRebalanceHeartbeatIntervalMs: number;
  /** The longest time that a member may ask for to give its partitions up. */
  readonly groupRebalanceTimeoutMsMax: number;
  /** Used when a member names none. */
  readonly groupRebalanceTimeoutMs: number;
  /** How often members that are overdue are looked for. */
  readonly groupTickIntervalMs: number;
  readonly groupsMax: number;
  readonly groupMembersMax: number;
  readonly groupIdBytesMax: number;
  readonly memberIdBytesMax: number;
  readonly subscribedTopicsMax: number;
  readonly offsetMetadataBytesMax: number;
  /** Committed offsets are kept this long after the group emptied (and after their commit). */
  readonly offsetsRetentionMs: number;
  readonly offsetsRetentionCheckIntervalMs: number;
  /** Commits of partitions that wait for the append in flight; beyond it a commit is refused as retriable. */
  readonly commitsPendingMax: number;
}

export const GROUP_LIMITS: GroupLimits = {
  groupSessionTimeoutMs: 6_000,
  groupDisconnectGraceMs: 1_500,
  groupTakeoverGraceMs: 2_000,
  groupHeartbeatIntervalMs: 500,
  groupRebalanceHeartbeatIntervalMs: 100,
  groupRebalanceTimeoutMsMax: 30 * 60_000,
  groupRebalanceTimeoutMs: 60_000,
  groupTickIntervalMs: 100,
  groupsMax: 10_000,
  groupMembersMax: 1_000,
  groupIdBytesMax: 255,
  memberIdBytesMax: 255,
  subscribedTopicsMax: 10_000,
  offsetMetadataBytesMax: 4_096,
  offsetsRetentionMs: 7 * 24 * 60 * 60_000,
  offsetsRetentionCheckIntervalMs: 10 * 60_000,
  commitsPendingMax: 100_000,
};
