/** Walks the file of a segment from end to end, also across what is damaged. */

import { scanBatches } from '../../log/batch-scan.ts';
import type { LogFiles } from '../../log/log-files.ts';
import { inspectDamage } from '../../log/segment-scan.ts';
import {
  RECORD_BATCH_HEADER_BYTES,
  type RecordBatchHeader,
  readBatchHeader,
} from '../../protocol/record-batch.ts';

const CHUNK_BYTES = 2 ** 20;

export interface WalkedBatch {
  readonly header: RecordBatchHeader;
  readonly position: number;
  /** The whole batch. */
  readonly bytes: Uint8Array;
}

/** A stretch of the file that holds no valid batch. */
export interface WalkedDamage {
  readonly position: number;
  /** Where the next valid batch begins, or the file ends. */
  readonly endPosition: number;
  /** The offset that the batch here should have. */
  readonly offset: number;
  readonly problem: string;
  readonly validBehind: boolean;
  readonly unwrittenSector: boolean;
  readonly isCutShort: boolean;
}

/** What one chunk of the file holds, in order; damage, if there is any, behind the batches. */
export interface WalkedChunk {
  readonly batches: readonly WalkedBatch[];
  readonly damage?: WalkedDamage;
}

export async function* walkSegment(
  files: LogFiles,
  baseOffset: number,
  sizeBytes: number,
): AsyncGenerator<WalkedChunk> {
  let [position, offset, chunkBytes] = [0, baseOffset, CHUNK_BYTES];
  while (position < sizeBytes) {
    const wantedBytes = Math.min(chunkBytes, sizeBytes - position);
    const bytes = await files.read(baseOffset, position, wantedBytes);
    // A follower truncated its log meanwhile.
    if (bytes.length < wantedBytes) return;
    const [start, batches]: [number, WalkedBatch[]] = [position, []];
    const scan = scanBatches(bytes, offset, (header, at) => {
      batches.push({ header, position: start + at, bytes: bytes.subarray(at, at + header.sizeBytes) });
    });
    position += scan.consumedBytes;
    offset = scan.nextOffset;
    if (position === sizeBytes || (scan.stop === 'more' && scan.neededBytes <= sizeBytes - position)) {
      yield { batches };
      chunkBytes = Math.max(CHUNK_BYTES, scan.neededBytes);
      continue;
    }
    const problem = scan.problem || `the file ends inside a batch, ${sizeBytes - position} bytes into it`;
    const at = { position, offset, endPosition: sizeBytes };
    const { validAt, ...found } = await inspectDamage(files, baseOffset, at);
    const { validBehind } = found;
    const endPosition = validBehind ? validAt : sizeBytes;
    yield { batches, damage: { position, endPosition, offset, problem, ...found } };
    if (!validBehind) return;
    position = endPosition;
    offset = readBatchHeader(await files.read(baseOffset, position, RECORD_BATCH_HEADER_BYTES)).baseOffset;
  }
}
