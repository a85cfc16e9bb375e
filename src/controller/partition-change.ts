/**
 * Changes of one partition: who is in sync, who else still holds everything (ELR, KIP-966), who leads. Every change of
 * a partition in the cluster goes through `changePartition`, the one place where epochs rise.
 */

import { NO_LEADER, type PartitionImage } from '../metadata/image.ts';
import type { RecordOf } from '../metadata/records.ts';

type PartitionRecord = RecordOf<'Partition'>;

/** What is to become of a partition, and what limits it. */
export interface PartitionGoal {
  /** The ISR to have. Never emptied: without anybody left its last trusted members stay, and nobody leads. */
  readonly isr: readonly number[];
  /** A replica, in none of the ISR to have, whose copy can no longer be trusted to hold what it acknowledged. */
  readonly lost?: number;
  /** Whether the copy of a broker is damaged. It cannot lead, and is only waited for where there is no other. */
  readonly isDamaged: (brokerId: number) => boolean;
  /** `min.insync.replicas`, at most the number of replicas. */
  readonly minIsr: number;
  /** Whether a broker may become leader: unfenced and not stopping. */
  readonly canLead: (brokerId: number) => boolean;
  /** Whether the present leader may remain. */
  readonly mayStay: (brokerId: number) => boolean;
  /** Whether, with nobody else left, a replica may lead that may miss acknowledged records. */
  readonly unclean: boolean;
}

interface Election {
  readonly leader: number;
  readonly isr: readonly number[];
  readonly unclean?: boolean;
}

/** The record that brings the partition to the goal, or `undefined` when it is there already. */
export function changePartition(before: PartitionImage, goal: PartitionGoal): PartitionRecord | undefined {
  const trusted = trustedReplicas(before, goal);
  const { leader, isr, unclean } = elect(before, goal, trusted);
  // Records below the high watermark are on all of the trusted, for it stands still while |ISR| < min.insync.replicas.
  const elr = unclean || isr.length >= goal.minIsr ? [] : trusted.filter((id) => !isr.includes(id));
  if (leader === before.leader && sameSet(isr, before.isr) && sameSet(elr, before.elr)) return undefined;
  return partitionRecord(before, { leader, isr, elr });
}

/** Makes `leader`, which is in the ISR, the leader. */
export function moveLeader(before: PartitionImage, leader: number): PartitionRecord {
  return partitionRecord(before, { leader, isr: before.isr, elr: before.elr });
}

function partitionRecord(
  before: PartitionImage,
  after: { leader: number; isr: readonly number[]; elr: readonly number[] },
): PartitionRecord {
  const leaderEpoch = after.leader === before.leader ? before.leaderEpoch : before.leaderEpoch + 1;
  const record: PartitionRecord = {
    type: 'Partition',
    ...before,
    ...after,
    leaderEpoch,
    partitionEpoch: before.partitionEpoch + 1,
  };
  assertSound(record);
  return record;
}

/** All that hold everything acknowledged: they were in the ISR, or eligible, and their copy is what it was. */
function trustedReplicas(before: PartitionImage, goal: PartitionGoal): number[] {
  const isSound = (id: number) => id !== goal.lost && !goal.isDamaged(id);
  return [...before.isr, ...before.elr].filter(isSound).sort((a, b) => a - b);
}

/** From the ISR, else from the ELR, else (only if allowed) anybody alive; the present leader stays if it may. */
function elect(before: PartitionImage, goal: PartitionGoal, trusted: readonly number[]): Election {
  const { isr } = goal;
  if (isr.includes(before.leader) && goal.mayStay(before.leader)) return { leader: before.leader, isr };
  const fromIsr = before.replicas.find((id) => isr.includes(id) && goal.canLead(id));
  if (fromIsr !== undefined) return { leader: fromIsr, isr };
  const fromElr = before.replicas.find((id) => trusted.includes(id) && goal.canLead(id));
  if (fromElr !== undefined) return { leader: fromElr, isr: [fromElr] };
  const anybody = goal.unclean ? before.replicas.find(goal.canLead) : undefined;
  if (anybody !== undefined) return { leader: anybody, isr: [anybody], unclean: true };
  return { leader: NO_LEADER, isr: lastStanding(before, goal, isr, trusted) };
}

/**
 * Whom to wait for: the ISR, else its members of before, else those eligible, else a damaged copy, which somebody may
 * mend; nobody when all copies are lost.
 */
function lastStanding(
  before: PartitionImage,
  goal: PartitionGoal,
  isr: readonly number[],
  trusted: readonly number[],
): readonly number[] {
  if (isr.length > 0) return isr;
  const kept = before.isr.filter((id) => trusted.includes(id));
  if (kept.length > 0) return kept;
  return trusted.length > 0 ? trusted.slice(0, 1) : before.isr.filter((id) => id !== goal.lost);
}

/** Checked before every write, in production too. */
function assertSound(record: PartitionRecord): void {
  const { replicas, isr, elr, leader } = record;
  const broken =
    (leader !== NO_LEADER && !isr.includes(leader) && 'the leader is not in the ISR') ||
    (!isr.every((id) => replicas.includes(id)) && 'the ISR has a member that is no replica') ||
    (!elr.every((id) => replicas.includes(id)) && 'the ELR has a member that is no replica') ||
    (elr.some((id) => isr.includes(id)) && 'the ELR overlaps the ISR') ||
    (new Set(isr).size !== isr.length && 'the ISR names a replica twice');
  if (broken) throw new Error(`${broken}: ${JSON.stringify(record)}`);
}

function sameSet(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id) => b.includes(id));
}
