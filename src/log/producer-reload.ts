/** Brings the producer state of a log back: the newest snapshot at or below its end, and the batches behind that. */

import type { LogFiles } from './log-files.ts';
import type { LogState } from './log-state.ts';
import type { ProducerStates } from './producer-states.ts';
import { scanSegment } from './segment-scan.ts';

/** Everything up to the log's end must be in the files. */
export async function reloadProducers(
  state: LogState,
  files: LogFiles,
  nowWallMs: number,
): Promise<ProducerStates> {
  const { logEndOffset } = state;
  let producers = state.producers.replacedBy([]);
  let fromOffset = state.logStartOffset;
  const { snapshots } = await files.list();
  for (const offset of snapshots.filter((candidate) => candidate <= logEndOffset).reverse()) {
    const entries = await files.readSnapshot(offset);
    if (entries === undefined) continue;
    producers = state.producers.replacedBy(entries);
    fromOffset = offset;
    break;
  }
  for (const { baseOffset, endOffset, sizeBytes } of [...state.segments]) {
    if (endOffset <= fromOffset || sizeBytes === 0) continue;
    const from = { position: 0, offset: baseOffset, endPosition: sizeBytes };
    await scanSegment(files, baseOffset, from, (header) => {
      if (header.baseOffset >= fromOffset && header.baseOffset < logEndOffset)
        producers.update(header, nowWallMs);
    });
  }
  return producers;
}
