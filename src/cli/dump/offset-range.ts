import { UsageError } from '../run.ts';

/** Offsets (or indexes) from `from` on, up to but not including `to`. */
export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

export const EVERY_OFFSET: OffsetRange = { from: 0, to: Number.POSITIVE_INFINITY };

/** `10:20` (10 to 19), `10:`, `:20`, or one offset alone. @throws UsageError */
export function parseOffsetRange(text: string): OffsetRange {
  const [, from, colon, to] = /^(\d*)(:?)(\d*)$/.exec(text) ?? [];
  if (from !== undefined && (from || to)) {
    const start = Number(from || 0);
    const range = { from: start, to: to ? Number(to) : colon ? EVERY_OFFSET.to : start + 1 };
    if (range.from < range.to) return range;
  }
  throw new UsageError(
    `--offset is a range START:END (up to but not including END), START: or :END, or one offset, not "${text}"`,
  );
}

export function overlaps({ from, to }: OffsetRange, first: number, last: number): boolean {
  return last >= from && first < to;
}
