/** Where the offsets of a group are to be moved. */

import type { Admin, CommittedOffset, ListedOffset, TopicPartition } from '../../client/node.ts';
import { UsageError } from '../run.ts';
import { parseTimestamp } from '../timestamp.ts';

export type ResetTarget =
  | { readonly to: 'earliest' | 'latest' }
  | { readonly to: 'offset'; readonly offset: number }
  | { readonly to: 'timestamp'; readonly timestamp: number }
  | { readonly to: 'shift'; readonly by: number };

export interface ResetOptions {
  readonly toEarliest: boolean;
  readonly toLatest: boolean;
  readonly toOffset: number | undefined;
  readonly toTimestamp: string | undefined;
  readonly shiftBy: string | undefined;
}

/** The one target that the options name. @throws UsageError */
export function resetTarget(options: ResetOptions): ResetTarget {
  const { toEarliest, toLatest, toOffset, toTimestamp, shiftBy } = options;
  const targets: ResetTarget[] = [];
  if (toEarliest) targets.push({ to: 'earliest' });
  if (toLatest) targets.push({ to: 'latest' });
  if (toOffset !== undefined) targets.push({ to: 'offset', offset: toOffset });
  if (toTimestamp !== undefined) targets.push({ to: 'timestamp', timestamp: timestampOf(toTimestamp) });
  if (shiftBy !== undefined) targets.push({ to: 'shift', by: shiftOf(shiftBy) });
  const [target, another] = targets;
  if (target && !another) return target;
  throw new UsageError(
    'say once where to: --to-earliest, --to-latest, --to-offset N, --to-timestamp TIME or --shift-by N',
  );
}

function timestampOf(text: string): number {
  const timestamp = parseTimestamp(text.replace(/^@/, ''));
  if (timestamp !== undefined) return timestamp;
  throw new UsageError(`--to-timestamp is milliseconds since 1970 or ISO 8601, not "${text}"`);
}

function shiftOf(text: string): number {
  if (/^[+-]?\d{1,15}$/.test(text) && Number(text) !== 0) return Number(text);
  throw new UsageError(`--shift-by is a number of records, such as 100 or -100, not "${text}"`);
}

export interface OffsetMove extends TopicPartition {
  readonly oldOffset: number | null;
  readonly newOffset: number;
}

/** The moves, within what each partition holds. A partition without a committed offset cannot be shifted. */
export async function planMoves(
  admin: Pick<Admin, 'listOffsets'>,
  partitions: readonly TopicPartition[],
  committed: readonly CommittedOffset[],
  target: ResetTarget,
): Promise<OffsetMove[]> {
  const [starts, ends] = await Promise.all([
    admin.listOffsets(partitions, 'earliest'),
    admin.listOffsets(partitions, 'latest'),
  ]);
  const atTime = target.to === 'timestamp' ? await admin.listOffsets(partitions, target) : [];
  return partitions.flatMap(({ topic, partition }, i) => {
    const [start, end] = [starts[i]?.offset ?? 0, ends[i]?.offset ?? 0];
    const oldOffset =
      committed.find((each) => each.topic === topic && each.partition === partition)?.offset ?? null;
    const wanted = wantedOffset(target, { start, end, oldOffset, atTime: atTime[i] });
    if (wanted === undefined) return [];
    return [{ topic, partition, oldOffset, newOffset: Math.min(Math.max(wanted, start), end) }];
  });
}

function wantedOffset(
  target: ResetTarget,
  of: { start: number; end: number; oldOffset: number | null; atTime: ListedOffset | undefined },
): number | undefined {
  if (target.to === 'earliest') return of.start;
  if (target.to === 'latest') return of.end;
  if (target.to === 'offset') return target.offset;
  if (target.to === 'shift') return of.oldOffset === null ? undefined : of.oldOffset + target.by;
  // No record at or after the time.
  return of.atTime === undefined || of.atTime.offset < 0 ? of.end : of.atTime.offset;
}
