/** Finds records by their timestamps: the first at or after a time, and the largest. */

import { hasCodec, loadCodec } from '../protocol/compression.ts';
import { ATTRIBUTE, readBatchHeader } from '../protocol/record-batch.ts';
import { iterateRecords } from '../protocol/record-decoder.ts';
import type { LogReader } from './log-reader.ts';
import type { LogState } from './log-state.ts';
import type { Segment } from './segment.ts';

export interface TimestampedOffset {
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

/** No record has a timestamp as small. */
const NONE = -1;

export class TimestampSearch {
  readonly #state: LogState;
  readonly #reader: LogReader;
  readonly #readBytes: number;

  constructor(state: LogState, reader: LogReader, readBytes: number) {
    this.#state = state;
    this.#reader = reader;
    this.#readBytes = readBytes;
  }

  /** The first record at or after the log's start whose timestamp is at least `timestamp`. */
  async firstSince(timestamp: number): Promise<TimestampedOffset | undefined> {
    for (const segment of [...this.#state.segments]) {
      if (segment.sizeBytes === 0 || segment.removed) continue;
      const index = await this.#reader.index(segment);
      if ((segment.maxTimestamp ?? index.maxTimestamp) < timestamp) continue;
      const from = Math.max(index.floorByTimestamp(timestamp).offset, this.#state.logStartOffset);
      const found = await this.#firstInRange(from, segment.endOffset, timestamp);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /**
   * The first record of the largest timestamp below `endOffset`. Reads the end of one segment and one batch, as a rule:
   * the indexes know the rest.
   */
  async largestBelow(endOffset: number): Promise<TimestampedOffset | undefined> {
    const timestamp = await this.#largestTimestamp(endOffset);
    const found = timestamp === NONE ? undefined : await this.firstSince(timestamp);
    return found !== undefined && found.offset < endOffset ? found : undefined;
  }

  async #largestTimestamp(endOffset: number): Promise<number> {
    const candidates: { segment: Segment; claimed: number }[] = [];
    for (const segment of [...this.#state.segments]) {
      if (segment.sizeBytes === 0 || segment.removed || segment.baseOffset >= endOffset) continue;
      const claimed = segment.maxTimestamp ?? (await this.#reader.index(segment)).maxTimestamp;
      candidates.push({ segment, claimed });
    }
    candidates.sort((left, right) => right.claimed - left.claimed);
    let largest = NONE;
    for (const { segment, claimed } of candidates) {
      if (claimed <= largest) break;
      largest = Math.max(largest, await this.#largestInSegment(segment, endOffset));
    }
    return largest;
  }

  /** What a segment claims may be too large: after a truncation, and for what lies at or after `endOffset`. */
  async #largestInSegment(segment: Segment, endOffset: number): Promise<number> {
    const end = Math.min(endOffset, segment.endOffset);
    const index = await this.#reader.index(segment);
    const { offset, timestampBefore } = index.floorWithTimestamp(end - 1);
    let largest = timestampBefore;
    for await (const batch of this.#batches(offset, end)) {
      largest = Math.max(largest, readBatchHeader(batch).maxTimestamp);
    }
    return largest;
  }

  async #firstInRange(
    from: number,
    endOffset: number,
    timestamp: number,
  ): Promise<TimestampedOffset | undefined> {
    for await (const batch of this.#batches(from, endOffset)) {
      await loadCodecFor(batch, timestamp);
      const found = firstRecordSince(batch, timestamp, this.#state.logStartOffset);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async *#batches(from: number, endOffset: number): AsyncGenerator<Uint8Array> {
    let offset = Math.max(from, this.#state.logStartOffset);
    while (offset < endOffset) {
      const { records, nextOffset } = await this.#reader.read(offset, this.#readBytes, endOffset);
      if (records.length === 0) return;
      yield* records;
      offset = nextOffset;
    }
  }
}

/** Only the batch in question is opened. Without its codec the answer is less exact, and as safe. */
async function loadCodecFor(batch: Uint8Array, timestamp: number): Promise<void> {
  const { attributes, maxTimestamp } = readBatchHeader(batch);
  const compression = attributes & ATTRIBUTE.compressionMask;
  if (maxTimestamp < timestamp || hasCodec(compression)) return;
  await loadCodec(compression).catch(() => {});
}

function firstRecordSince(
  batch: Uint8Array,
  timestamp: number,
  startOffset: number,
): TimestampedOffset | undefined {
  const { baseOffset, maxTimestamp, partitionLeaderEpoch: leaderEpoch } = readBatchHeader(batch);
  if (maxTimestamp < timestamp) return undefined;
  try {
    for (const record of iterateRecords(batch)) {
      if (record.timestamp < timestamp || record.offset < startOffset) continue;
      return { offset: record.offset, timestamp: record.timestamp, leaderEpoch };
    }
    return undefined;
  } catch {
    // A batch that this release cannot open. Its start is a safe answer: whoever reads on skips what is older.
    return { offset: Math.max(baseOffset, startOffset), timestamp: maxTimestamp, leaderEpoch };
  }
}
