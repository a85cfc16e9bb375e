/** Reads from a log's files, in large chunks and whole batches; also finds where a batch lies. */

import { asError } from '../platform/as-error.ts';
import { KafkaError } from '../protocol/errors.ts';
import { lastOffsetOf, type RecordBatchHeader } from '../protocol/record-batch.ts';
import { scanBatches } from './batch-scan.ts';
import type { LogContext } from './log-context.ts';
import type { LogFiles } from './log-files.ts';
import type { FetchedRecords, LogState } from './log-state.ts';
import type { Segment } from './segment.ts';
import { SegmentIndex } from './segment-index.ts';
import { scanSegment } from './segment-scan.ts';

export class LogReader {
  readonly #state: LogState;
  readonly #files: LogFiles;
  readonly #context: LogContext;
  readonly #onCorrupt: (reason: string, soundOffset: number) => void;

  constructor(
    state: LogState,
    files: LogFiles,
    context: LogContext,
    onCorrupt: (reason: string, soundOffset: number) => void,
  ) {
    this.#state = state;
    this.#files = files;
    this.#context = context;
    this.#onCorrupt = onCorrupt;
  }

  /** As `PartitionLog.read`, for an offset whose batch is not in memory (any more, or perhaps). */
  async read(offset: number, bytesMax: number, endOffset: number): Promise<FetchedRecords> {
    for (;;) {
      const end = Math.min(endOffset, this.#state.logEndOffset);
      if (offset < this.#state.logStartOffset || offset > this.#state.logEndOffset) {
        throw new KafkaError('OFFSET_OUT_OF_RANGE', `offset ${offset} was cut off while it was being read`);
      }
      if (offset >= end) return { records: [], nextOffset: offset };
      const { generation } = this.#state;
      const inMemory = this.#state.readTail(offset, bytesMax, end);
      if (inMemory !== undefined) return inMemory;
      const segment = this.#segmentOf(offset);
      // What is not written yet is in memory, and what is being written may be there in part: stop before.
      const stopOffset = Math.min(end, this.#state.writtenOffset);
      const found = await this.#readOrRetry(segment, offset, bytesMax, stopOffset);
      // Cut meanwhile: what was read may be something else by now. (A deletion leaves it as it was.)
      if (found === undefined || generation !== this.#state.generation) continue;
      return found;
    }
  }

  /**
   * Where the batch that holds `offset` begins, looked up on disk; where the sound batches end, if that comes first. Does
   * not depend on what lies at `offset` or behind it.
   */
  async find(offset: number): Promise<{ segment: Segment; position: number; baseOffset: number }> {
    const segment = this.#segmentOf(offset);
    const start = { offset: segment.baseOffset, position: 0 };
    const hint = segment.index?.floor(offset) ?? start;
    for (const from of [hint, start]) {
      let found: { segment: Segment; position: number; baseOffset: number } | undefined;
      const range = { ...from, endPosition: segment.sizeBytes };
      const scan = await scanSegment(this.#files, segment.baseOffset, range, (header, position) => {
        if (lastOffsetOf(header) < offset) return undefined;
        found ??= { segment, position, baseOffset: header.baseOffset };
        return 'stop';
      });
      found ??= { segment, position: scan.position, baseOffset: scan.nextOffset };
      const isSure = from.position === 0 || scan.nextOffset >= offset;
      if (isSure) return found;
    }
    throw new Error(`unreachable: the walk from the start of segment ${segment.baseOffset} is sure`);
  }

  /** The index of a segment: from memory, from its files, or made anew by a scan. */
  async index(segment: Segment): Promise<SegmentIndex> {
    let { index } = segment;
    if (index === undefined) {
      const intervalBytes = this.#state.config.indexIntervalBytes;
      index = (await this.#files.readIndex(segment, intervalBytes)) ?? (await this.#rebuildIndex(segment));
      segment.index ??= index;
      segment.maxTimestamp ??= index.maxTimestamp;
    }
    // Until its file is whole, no scan could bring back the index of a closed segment: it stays.
    const isWritten = segment.endOffset <= this.#state.writtenOffset;
    if (isWritten && segment !== this.#state.active) this.#context.indexCache.touch(segment);
    return index;
  }

  #segmentOf(offset: number): Segment {
    const segment = this.#state.segmentAt(offset);
    if (segment === undefined) throw new Error(`no segment holds offset ${offset} of ${this.#files.folder}`);
    return segment;
  }

  /** `undefined` when the segment was cut or removed underneath. */
  async #readOrRetry(
    segment: Segment,
    offset: number,
    bytesMax: number,
    stopOffset: number,
  ): Promise<FetchedRecords | undefined> {
    const { generation } = this.#state;
    try {
      return await this.#readFrom(segment, await this.index(segment), offset, bytesMax, stopOffset);
    } catch (cause) {
      if (segment.removed || generation !== this.#state.generation) return undefined;
      const message = asError(cause).message;
      this.#onCorrupt(message, cause instanceof DamagedSegment ? cause.offset : segment.baseOffset);
      throw new KafkaError('KAFKA_STORAGE_ERROR', `offset ${offset} cannot be read: ${message}`, { cause });
    }
  }

  async #readFrom(
    segment: Segment,
    index: SegmentIndex,
    offset: number,
    bytesMax: number,
    stopOffset: number,
  ): Promise<FetchedRecords> {
    let from = index.floor(offset);
    let chunkBytes = Math.max(bytesMax, this.#context.limits.coldReadBytes);
    for (;;) {
      // No more than is there: whoever asks for 50 MB of a short segment does not pay for 50 MB.
      const wantedBytes = Math.min(chunkBytes, segment.sizeBytes - from.position);
      const bytes = await this.#files.read(segment.baseOffset, from.position, wantedBytes);
      const batches = new Collector(offset, bytesMax, stopOffset);
      const scan = scanBatches(bytes, from.offset, (header, at) => batches.visit(header, bytes, at));
      const found = batches.found();
      if (found !== undefined) return found;
      const isShort = bytes.length < chunkBytes; // so there is no more
      if (scan.stop === 'broken' || isShort) {
        if (index.isTrusted) throw new DamagedSegment(segment, scan.nextOffset);
        return this.#readFrom(segment, await this.#replaceIndex(segment), offset, bytesMax, stopOffset);
      }
      from = { offset: scan.nextOffset, position: from.position + scan.consumedBytes };
      chunkBytes = Math.max(chunkBytes, scan.neededBytes);
    }
  }

  /** An index from files that led to no batch may be wrong. */
  async #replaceIndex(segment: Segment): Promise<SegmentIndex> {
    if (segment === this.#state.active && segment.index !== undefined) segment.index.clear();
    else segment.index = await this.#rebuildIndex(segment);
    return segment.index;
  }

  async #rebuildIndex(segment: Segment): Promise<SegmentIndex> {
    const { baseOffset, endOffset, sizeBytes } = segment;
    this.#context.logger.info(
      { folder: this.#files.folder, baseOffset },
      'Rebuilding the index of a segment',
    );
    const index = new SegmentIndex(baseOffset, this.#state.config.indexIntervalBytes);
    const from = { position: 0, offset: baseOffset, endPosition: sizeBytes };
    const scan = await scanSegment(this.#files, baseOffset, from, (header) =>
      index.add({ ...header, lastOffset: lastOffsetOf(header) }),
    );
    if (scan.nextOffset !== endOffset) throw new DamagedSegment(segment, scan.nextOffset);
    return index;
  }
}

/** Picks the batches to return out of a scan: from the one that holds `offset`, while they fit. */
class Collector {
  readonly #records: Uint8Array[] = [];
  readonly #offset: number;
  readonly #bytesMax: number;
  readonly #stopOffset: number;
  #sizeBytes = 0;
  #isFull = false;
  /** `undefined` until the batch that holds the offset came by. */
  #nextOffset: number | undefined;

  constructor(offset: number, bytesMax: number, stopOffset: number) {
    this.#offset = offset;
    this.#bytesMax = bytesMax;
    this.#stopOffset = stopOffset;
  }

  visit(header: RecordBatchHeader, bytes: Uint8Array, at: number): void {
    const endOffset = lastOffsetOf(header) + 1;
    if (endOffset <= this.#offset || this.#isFull) return;
    const { sizeBytes } = header;
    this.#nextOffset ??= this.#offset;
    this.#sizeBytes += sizeBytes;
    this.#isFull =
      endOffset > this.#stopOffset || (this.#records.length > 0 && this.#sizeBytes > this.#bytesMax);
    if (this.#isFull) return;
    this.#records.push(bytes.subarray(at, at + sizeBytes));
    this.#nextOffset = endOffset;
  }

  found(): FetchedRecords | undefined {
    return this.#nextOffset === undefined
      ? undefined
      : { records: this.#records, nextOffset: this.#nextOffset };
  }
}

/** A segment that must be whole is not. */
export class DamagedSegment extends Error {
  /** The first batch that cannot be read. */
  readonly offset: number;

  constructor(segment: Segment, offset: number) {
    super(`segment ${segment.baseOffset} is damaged at offset ${offset}`);
    this.offset = offset;
  }
}
