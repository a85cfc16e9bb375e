import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/records.ts';

export interface Rebalance {
  readonly groupId: string;
  readonly groupEpoch: number;
  readonly members: number;
  readonly assignor: string;
}

/** The groups that records, decided over `before`, take into a new epoch: their partitions are assigned anew. */
export function rebalancesIn(before: MetadataImage, records: readonly MetadataRecord[]): Rebalance[] {
  const rebalances: Rebalance[] = [];
  for (const record of records) {
    if (record.type !== 'Group') continue;
    const { groupId, groupEpoch, assignorName: assignor } = record;
    const group = before.groups.get(groupId);
    if (groupEpoch === group?.groupEpoch) continue;
    const members = new Set(group?.members.keys());
    for (const change of records) {
      if (change.type === 'GroupMember' && change.groupId === groupId) members.add(change.memberId);
      if (change.type === 'RemoveGroupMember' && change.groupId === groupId) members.delete(change.memberId);
    }
    rebalances.push({ groupId, groupEpoch, members: members.size, assignor });
  }
  return rebalances;
}
