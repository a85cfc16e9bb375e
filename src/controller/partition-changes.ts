import type { MetadataImage, PartitionImage } from '../metadata/image.ts';
import { NO_LEADER } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/records.ts';

/** `first`: of a new partition; `same`: the leader goes on in a new epoch; `none`: nobody is left who could lead. */
export const ELECTION_KINDS = ['first', 'failover', 'preferred', 'same', 'unclean', 'none'] as const;
export type ElectionKind = (typeof ELECTION_KINDS)[number];

/** What a decision did to one partition, for logs and metrics. */
export interface PartitionChange {
  /** Undefined: the leader goes on in its epoch. */
  readonly election: ElectionKind | undefined;
  readonly isrShrank: boolean;
  readonly isrGrew: boolean;
  readonly before: PartitionImage | undefined;
  readonly after: PartitionImage;
}

/** The elections and ISR changes among records, in their order; whatever the reason they were decided for. */
export function partitionChanges(base: MetadataImage, records: readonly MetadataRecord[]): PartitionChange[] {
  const newest = new Map<string, PartitionImage>();
  const changes: PartitionChange[] = [];
  for (const record of records) {
    if (record.type !== 'Partition') continue;
    const key = `${record.topicId} ${record.partition}`;
    const before = newest.get(key) ?? base.partition(record.topicId, record.partition);
    newest.set(key, record);
    const isrShrank = before?.isr.some((id) => !record.isr.includes(id)) ?? false;
    const isrGrew = before !== undefined && record.isr.some((id) => !before.isr.includes(id));
    changes.push({ election: electionOf(before, record), isrShrank, isrGrew, before, after: record });
  }
  return changes;
}

function electionOf(before: PartitionImage | undefined, after: PartitionImage): ElectionKind | undefined {
  if (!before) return 'first';
  if (after.leaderEpoch === before.leaderEpoch) return undefined;
  if (after.leader === NO_LEADER) return 'none';
  if (after.leader === before.leader) return 'same';
  if (!before.isr.includes(after.leader) && !before.elr.includes(after.leader)) return 'unclean';
  // It was in nobody's way: the leader before could have gone on.
  const isPreferred = after.leader === after.replicas[0] && after.isr.includes(before.leader);
  return isPreferred ? 'preferred' : 'failover';
}
