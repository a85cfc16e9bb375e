/**
 * The one step that moves a member towards its target (KIP-848, "Reconciliation Process"). A partition passes from
 * owner to owner only through here: it is granted when nobody else holds it, and held until the holder confirmed that
 * it gave it up.
 */

import { isSubset, NO_PARTITIONS, overlaps, type PartitionKey } from './partitions.ts';

/** What a member holds, and in which epoch it does. */
export interface Holding {
  readonly memberEpoch: number;
  /** Accepted once more: the member may have missed the response that raised its epoch. */
  readonly previousMemberEpoch: number;
  /** What the member may own. */
  readonly assigned: ReadonlySet<PartitionKey>;
  /** What the member was told to give up, and did not confirm yet. Nobody else may have it. */
  readonly pendingRevocation: ReadonlySet<PartitionKey>;
}

export interface ReconcileInput {
  readonly target: ReadonlySet<PartitionKey>;
  readonly targetEpoch: number;
  /** What the member reports to own; null when it did not say. */
  readonly owned: ReadonlySet<PartitionKey> | null;
  /** What other members are assigned or have yet to give up. */
  readonly heldByOthers: ReadonlySet<PartitionKey>;
}

/** The member's next state; the same object when nothing changes. */
export function reconcile<H extends Holding>(member: H, input: ReconcileInput): H {
  let { memberEpoch } = member;
  if (member.pendingRevocation.size > 0) {
    // Only a report that came after the order to revoke counts, hence a later heartbeat than the one that gave it.
    if (input.owned === null || overlaps(input.owned, member.pendingRevocation)) return member;
    // A commit still under way for what was given up is stale from here on.
    memberEpoch += 1;
  }
  const { target, targetEpoch } = input;
  if (!isSubset(member.assigned, target)) {
    const assigned = new Set<PartitionKey>();
    const pendingRevocation = new Set<PartitionKey>();
    for (const key of member.assigned) (target.has(key) ? assigned : pendingRevocation).add(key);
    return advance(member, memberEpoch, assigned, pendingRevocation);
  }
  const assigned = new Set(member.assigned);
  for (const key of target) if (!assigned.has(key) && !input.heldByOthers.has(key)) assigned.add(key);
  return advance(member, targetEpoch, assigned, NO_PARTITIONS);
}

/** Whether the member has reached the target and need not be asked again soon. */
export function isSettled(member: Holding, target: ReadonlySet<PartitionKey>, targetEpoch: number): boolean {
  return (
    member.memberEpoch === targetEpoch &&
    member.pendingRevocation.size === 0 &&
    member.assigned.size === target.size
  );
}

function advance<H extends Holding>(
  member: H,
  memberEpoch: number,
  assigned: ReadonlySet<PartitionKey>,
  pendingRevocation: ReadonlySet<PartitionKey>,
): H {
  const moved = memberEpoch !== member.memberEpoch;
  const same =
    !moved &&
    assigned.size === member.assigned.size &&
    pendingRevocation.size === 0 &&
    member.pendingRevocation.size === 0;
  if (same) return member;
  const previousMemberEpoch = moved ? member.memberEpoch : member.previousMemberEpoch;
  return { ...member, memberEpoch, previousMemberEpoch, assigned, pendingRevocation };
}
