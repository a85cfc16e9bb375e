import type { Admin, GroupDescription } from '../../client/node.ts';

export interface PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  readonly committedOffset: number | null;
  readonly endOffset: number | null;
  /** Records that the group has not committed yet. */
  readonly lag: number | null;
  readonly memberId: string | null;
}

/** Every partition that the group has committed or reads now. */
export async function progressOf(
  admin: Pick<Admin, 'fetchOffsets' | 'listOffsets'>,
  group: GroupDescription,
): Promise<PartitionProgress[]> {
  const progress = new Map<string, PartitionProgress>();
  const put = (row: PartitionProgress) => progress.set(`${row.topic}\n${row.partition}`, row);
  for (const { memberId, assignment } of group.members) {
    for (const which of assignment)
      put({ ...which, committedOffset: null, endOffset: null, lag: null, memberId });
  }
  for (const { topic, partition, offset } of await admin.fetchOffsets(group.groupId)) {
    const memberId = progress.get(`${topic}\n${partition}`)?.memberId ?? null;
    put({ topic, partition, committedOffset: offset, endOffset: null, lag: null, memberId });
  }
  const rows = [...progress.values()].sort((a, b) =>
    a.topic < b.topic ? -1 : a.topic > b.topic ? 1 : a.partition - b.partition,
  );
  return Promise.all(rows.map((row) => withEnd(admin, row)));
}

async function withEnd(
  admin: Pick<Admin, 'listOffsets'>,
  row: PartitionProgress,
): Promise<PartitionProgress> {
  const [listed] = await admin.listOffsets([row], 'latest').catch(() => []);
  const endOffset = listed?.offset ?? null;
  const { committedOffset } = row;
  const lag =
    endOffset === null || committedOffset === null ? null : Math.max(0, endOffset - committedOffset);
  return { ...row, endOffset, lag };
}

export function totalLag(partitions: readonly PartitionProgress[]): number {
  return partitions.reduce((sum, { lag }) => sum + (lag ?? 0), 0);
}
