/** Checks what stands beside a log's segments against the segments themselves. */

import type { OffsetsCheckpoint } from '../../log/checkpoint-format.ts';
import { readIfExists } from '../../log/file-helpers.ts';
import { type EpochStart, LeaderEpochs } from '../../log/leader-epochs.ts';
import { readIndexTrailer, SegmentIndex } from '../../log/segment-index.ts';
import type { Disk } from '../../platform/ports.ts';
import { lastOffsetOf, type RecordBatchHeader } from '../../protocol/record-batch.ts';
import { fileName } from './log-folder.ts';

/** `absent` and `outdated` are no damage: an index is a hint, written when a segment is closed. */
export interface IndexVerdict {
  readonly status: 'matches' | 'absent' | 'outdated' | 'damaged' | 'wrong';
  readonly problem?: string;
}

/** Notes where each batch of a segment is, to compare its index files with. */
export class SegmentVerifier {
  readonly #baseOffset: number;
  readonly #positionOf = new Map<number, number>();
  /** The first batch that reaches each new largest timestamp, in order. */
  readonly #peaks: { readonly timestamp: number; readonly position: number }[] = [];
  #endOffset: number;
  #sizeBytes = 0;

  constructor(baseOffset: number) {
    this.#baseOffset = baseOffset;
    this.#endOffset = baseOffset;
  }

  add(header: RecordBatchHeader, position: number): void {
    this.#positionOf.set(header.baseOffset, position);
    this.#endOffset = lastOffsetOf(header) + 1;
    this.#sizeBytes = position + header.sizeBytes;
    const { maxTimestamp: timestamp } = header;
    if (timestamp > (this.#peaks.at(-1)?.timestamp ?? -1)) this.#peaks.push({ timestamp, position });
  }

  async verifyIndex(disk: Disk, folder: string): Promise<IndexVerdict> {
    const offsets = await readIfExists(disk, `${folder}/${fileName(this.#baseOffset, '.index')}`);
    const timestamps = await readIfExists(disk, `${folder}/${fileName(this.#baseOffset, '.timeindex')}`);
    if (offsets === undefined || timestamps === undefined) return { status: 'absent' };
    const trailers = [readIndexTrailer(offsets), readIndexTrailer(timestamps)];
    if (trailers.includes(undefined)) return { status: 'damaged', problem: 'its checksum does not match' };
    const isCurrent = trailers.every(
      (trailer) => trailer?.endOffset === this.#endOffset && trailer.sizeBytes === this.#sizeBytes,
    );
    if (!isCurrent) return { status: 'outdated' };
    const index = SegmentIndex.decode(offsets, timestamps, {
      ...{ baseOffset: this.#baseOffset, endOffset: this.#endOffset, sizeBytes: this.#sizeBytes },
      intervalBytes: 1,
    });
    const problem = index ? this.#problemOf(index) : 'its two files do not belong together';
    return problem === undefined ? { status: 'matches' } : { status: 'wrong', problem };
  }

  #problemOf(index: SegmentIndex): string | undefined {
    for (const offset of this.#positionOf.keys()) {
      const entry = index.floor(offset);
      const actual = this.#positionOf.get(entry.offset);
      if (entry.offset > offset || actual !== entry.position)
        return `it places offset ${entry.offset} at byte ${entry.position}, and the segment at ${actual ?? 'none'}`;
    }
    for (const { timestamp, position } of this.#peaks) {
      if (index.floorByTimestamp(timestamp).position > position)
        return `a search for timestamp ${timestamp} would miss the batch at byte ${position}`;
    }
    return undefined;
  }
}

/** Collects the leader epochs of a log's batches, to compare `leader-epoch-checkpoint` with. */
export class EpochVerifier {
  readonly #epochs = new LeaderEpochs();
  #startOffset: number | undefined;
  #endOffset = 0;

  add(header: RecordBatchHeader): void {
    this.#startOffset ??= header.baseOffset;
    this.#epochs.assign(header.partitionLeaderEpoch, header.baseOffset);
    this.#endOffset = lastOffsetOf(header) + 1;
  }

  /** What is wrong with the checkpoint file's entries; undefined: nothing. */
  problemOf(
    entries: readonly EpochStart[] | undefined,
    checkpoint: OffsetsCheckpoint | undefined,
  ): string | undefined {
    if (entries === undefined) return 'its checksum does not match';
    if (this.#startOffset === undefined) return undefined;
    const start = Math.max(checkpoint?.logStartOffset ?? 0, this.#startOffset);
    const inLog = cut(this.#epochs, start, this.#endOffset);
    const inFile = cut(new LeaderEpochs(entries), start, this.#endOffset);
    // It is written with the offsets checkpoint: what came after that may be missing, and nothing else.
    const missing = inLog.find(
      (entry) => entry.startOffset < (checkpoint?.recoveryPoint ?? 0) && !has(inFile, entry),
    );
    const extra = inFile.find((entry) => !has(inLog, entry));
    if (missing) return `it lacks epoch ${missing.epoch}, which begins at offset ${missing.startOffset}`;
    if (extra) return `it says that epoch ${extra.epoch} begins at offset ${extra.startOffset}`;
    return undefined;
  }
}

/** The entries between two offsets: an epoch may begin behind the last record, which no batch tells of. */
function cut(epochs: LeaderEpochs, start: number, end: number): readonly EpochStart[] {
  epochs.truncateFromStart(start);
  return epochs.entries.filter(({ startOffset }) => startOffset < end);
}

function has(entries: readonly EpochStart[], { epoch, startOffset }: EpochStart): boolean {
  return entries.some((each) => each.epoch === epoch && each.startOffset === startOffset);
}
