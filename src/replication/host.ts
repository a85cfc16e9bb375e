/** What a partition's shell needs of the manager that owns it. */

import type { Clock, Logger, Timers } from '../platform/ports.ts';
import type { FollowedPartition } from './followed-partition.ts';
import type { ChangingPartition } from './isr-updater.ts';
import type { ReplicationEvents } from './replication-events.ts';
import type { PartitionId, ReplicaLogs, ReplicationLimits } from './types.ts';
import type { ParkedFetch } from './waiters.ts';

export interface PartitionHost {
  readonly nodeId: number;
  readonly logs: ReplicaLogs;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly logger: Logger;
  readonly events: ReplicationEvents;
  readonly limits: ReplicationLimits;
  /** Not before this process is registered: what the broker led before a restart, it no longer leads. */
  isRegistered(): boolean;
  /** The session with the controller lapsed: another leader may exist (KAFKA-14296). */
  isFenced(): boolean;
  /** The partition's leader core has an ISR change to send. */
  isrChangeDue(partition: ChangingPartition): void;
  /** Fetches that wait for something that moved. */
  wakeFetches(fetches: ReadonlySet<ParkedFetch>): void;
  startFollowing(followed: FollowedPartition): void;
  stopFollowing(followed: FollowedPartition): void;
  /** This broker is to lead a partition and cannot: the controller should elect another. */
  cannotLead(partition: PartitionId, leaderEpoch: number): void;
  /** The copy of a partition is damaged, or no longer is: the controller should know. */
  damageChanged(partition: PartitionId, isDamaged: boolean): void;
  /** Whether the controller can read what `damageChanged` is to tell it. */
  canTellDamage(): boolean;
  crash(error: Error): never;
}
