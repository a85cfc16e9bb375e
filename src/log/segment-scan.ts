/** Walks a segment's file in large chunks, batch by batch, checking each. */

import { hasUnwrittenSector } from '../platform/sectors.ts';
import type { RecordBatchHeader } from '../protocol/record-batch.ts';
import { type Damage, findValidBatch, isCutShort, scanBatches } from './batch-scan.ts';
import type { LogFiles } from './log-files.ts';

const CHUNK_BYTES = 2 ** 20;
/** How much is searched at once for a valid batch behind a broken one, and how large one found may be. */
const SEARCH_BYTES = 16 * 2 ** 20;
const BATCH_BYTES_MAX = 16 * 2 ** 20;

export interface SegmentScan {
  /** Where the valid batches end. */
  readonly position: number;
  readonly nextOffset: number;
}

/**
 * Visits the valid batches from `position` to at most `endPosition`, whose offsets go on from `offset`. A visitor that
 * returns `'stop'` ends the walk with the chunk in hand.
 */
export async function scanSegment(
  files: LogFiles,
  baseOffset: number,
  from: { readonly position: number; readonly offset: number; readonly endPosition: number },
  visit: (header: RecordBatchHeader, position: number) => unknown,
): Promise<SegmentScan> {
  let { position, offset } = from;
  let chunkBytes = CHUNK_BYTES;
  for (;;) {
    const remaining = from.endPosition - position;
    const bytes = await files.read(baseOffset, position, Math.min(chunkBytes, remaining));
    const start = position;
    let isStopped = false;
    const scan = scanBatches(bytes, offset, (header, at) => {
      if (visit(header, start + at) === 'stop') isStopped = true;
    });
    position += scan.consumedBytes;
    offset = scan.nextOffset;
    const isOver = scan.stop === 'broken' || scan.neededBytes > from.endPosition - position;
    if (isStopped || isOver || bytes.length < Math.min(chunkBytes, remaining))
      return { position, nextOffset: offset };
    chunkBytes = Math.max(CHUNK_BYTES, scan.neededBytes);
  }
}

/** What lies behind the place where a segment's valid batches end: where the next one is (-1: nowhere), if any. */
export async function inspectDamage(
  files: LogFiles,
  baseOffset: number,
  at: { readonly position: number; readonly offset: number; readonly endPosition: number },
): Promise<Pick<Damage, 'validBehind' | 'unwrittenSector' | 'isCutShort'> & { validAt: number }> {
  let unwrittenSector = false;
  let cutShort = at.position >= at.endPosition;
  for (let position = at.position; position < at.endPosition; position += SEARCH_BYTES) {
    const length = Math.min(SEARCH_BYTES + BATCH_BYTES_MAX, at.endPosition - position);
    const bytes = await files.read(baseOffset, position, length);
    if (position === at.position) cutShort = position + length === at.endPosition && isCutShort(bytes);
    const next = findValidBatch(bytes, position === at.position ? 1 : 0, at.offset);
    unwrittenSector ||= hasUnwrittenSector(next < 0 ? bytes : bytes.subarray(0, next), position);
    if (next >= 0)
      return { validBehind: true, validAt: position + next, unwrittenSector, isCutShort: cutShort };
  }
  return { validBehind: false, validAt: -1, unwrittenSector, isCutShort: cutShort };
}
