/**
 * Makes record batches. The producer's hot path: records are written straight into one growing buffer, and nothing is
 * allocated for each.
 */

import { writeInt16, writeInt32, writeInt64 } from './bytes.ts';
import { COMPRESSION, type CompressionId, codecOf } from './compression.ts';
import {
  ATTRIBUTE,
  FIELD,
  type ProducerStamp,
  RECORD_BATCH_HEADER_BYTES,
  RECORD_BATCH_MAGIC,
  stampProducer,
} from './record-batch.ts';
import { utf8Bytes, writeUtf8 } from './utf8.ts';
import { varintBytes, varlongBytes, writeVarint, writeVarlong } from './varint.ts';

export interface RecordHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

export interface RecordInput {
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers?: readonly RecordHeader[];
}

export interface RecordBatchOptions {
  /** `tryAppend` refuses what would make the batch (before compression) larger; but it takes any first record. */
  readonly sizeBytesMax: number;
  /** Its codec must be loaded by the time of `build`. A batch that would grow is left as it is. */
  readonly compression?: CompressionId;
  readonly compressionLevel?: number;
  /** About how large the batch will be: room for that much is made at once, instead of little by little. */
  readonly sizeBytesHint?: number;
  readonly transactional?: boolean;
  readonly control?: boolean;
}

const NO_PRODUCER: ProducerStamp = { producerId: -1, producerEpoch: -1, baseSequence: -1 };
const NO_PARTITION_LEADER_EPOCH = -1;
const INITIAL_BYTES = 1024;
const NO_HEADERS: readonly RecordHeader[] = [];

export class RecordBatchBuilder {
  readonly #sizeBytesMax: number;
  readonly #compression: CompressionId;
  readonly #compressionLevel: number | undefined;
  readonly #attributes: number;
  #bytes: Uint8Array;
  #position = RECORD_BATCH_HEADER_BYTES;
  #count = 0;
  #baseTimestamp = -1;
  #maxTimestamp = -1;
  #built = false;

  constructor(options: RecordBatchOptions) {
    this.#sizeBytesMax = options.sizeBytesMax;
    this.#compression = options.compression ?? COMPRESSION.none;
    this.#compressionLevel = options.compressionLevel;
    this.#attributes =
      (options.transactional ? ATTRIBUTE.transactional : 0) | (options.control ? ATTRIBUTE.control : 0);
    const { sizeBytesHint = 0, sizeBytesMax } = options;
    this.#bytes = new Uint8Array(Math.max(INITIAL_BYTES, Math.min(sizeBytesHint, sizeBytesMax)));
  }

  /** The size of the batch so far, before compression. */
  get sizeBytes(): number {
    return this.#position;
  }

  get count(): number {
    return this.#count;
  }

  /** Adds a record; its bytes are copied. Returns false, and adds nothing, when it does not fit any more. */
  tryAppend(record: RecordInput): boolean {
    if (this.#built) throw new Error('the batch is built already');
    if (!Number.isSafeInteger(record.timestamp)) throw new RangeError(`not a timestamp: ${record.timestamp}`);
    const headers = record.headers ?? NO_HEADERS;
    if (this.#count === 0) this.#baseTimestamp = record.timestamp;
    const timestampDelta = record.timestamp - this.#baseTimestamp;
    const bodyBytes = recordBodyBytes(record, headers, timestampDelta, this.#count);
    const end = this.#position + varintBytes(bodyBytes) + bodyBytes;
    if (end > this.#sizeBytesMax && this.#count > 0) return false;
    this.#reserve(end);
    this.#position = this.#write(record, headers, timestampDelta, bodyBytes);
    if (this.#count === 0 || record.timestamp > this.#maxTimestamp) this.#maxTimestamp = record.timestamp;
    this.#count++;
    return true;
  }

  #reserve(end: number): void {
    if (end <= this.#bytes.length) return;
    // Doubled, but not beyond the size that the batch may have: a full batch then wastes nothing.
    const doubled = Math.min(this.#bytes.length * 2, this.#sizeBytesMax);
    const grown = new Uint8Array(Math.max(end, doubled));
    grown.set(this.#bytes.subarray(0, this.#position));
    this.#bytes = grown;
  }

  #write(
    record: RecordInput,
    headers: readonly RecordHeader[],
    timestampDelta: number,
    bodyBytes: number,
  ): number {
    const bytes = this.#bytes;
    let at = writeVarint(bytes, this.#position, bodyBytes);
    bytes[at++] = 0; // A record's own attributes: none is defined.
    at = writeVarlong(bytes, at, timestampDelta);
    at = writeVarint(bytes, at, this.#count);
    at = writeNullable(bytes, at, record.key);
    at = writeNullable(bytes, at, record.value);
    at = writeVarint(bytes, at, headers.length);
    for (const header of headers) {
      at = writeVarint(bytes, at, utf8Bytes(header.key));
      at = writeUtf8(bytes, at, header.key);
      at = writeNullable(bytes, at, header.value);
    }
    return at;
  }

  /**
   * Ends the batch and returns its bytes (a view of the builder's buffer). Without a producer it is not idempotent;
   * `stampProducer` of `record-batch.ts` can set one later.
   */
  build(producer: ProducerStamp = NO_PRODUCER): Uint8Array {
    if (this.#count === 0) throw new Error('a record batch needs at least one record');
    this.#built = true;
    const plain = this.#bytes.subarray(0, this.#position);
    const compressed = this.#compress(plain);
    const batch = compressed ?? plain;
    const attributes = this.#attributes | (compressed === undefined ? COMPRESSION.none : this.#compression);
    writeInt64(batch, FIELD.baseOffset, 0);
    writeInt32(batch, FIELD.length, batch.length - FIELD.partitionLeaderEpoch);
    writeInt32(batch, FIELD.partitionLeaderEpoch, NO_PARTITION_LEADER_EPOCH);
    batch[FIELD.magic] = RECORD_BATCH_MAGIC;
    writeInt16(batch, FIELD.attributes, attributes);
    writeInt32(batch, FIELD.lastOffsetDelta, this.#count - 1);
    writeInt64(batch, FIELD.baseTimestamp, this.#baseTimestamp);
    writeInt64(batch, FIELD.maxTimestamp, this.#maxTimestamp);
    writeInt32(batch, FIELD.recordCount, this.#count);
    stampProducer(batch, 0, producer);
    return batch;
  }

  /** The batch with its records compressed; undefined where that would make it larger. */
  #compress(plain: Uint8Array): Uint8Array | undefined {
    if (this.#compression === COMPRESSION.none) return undefined;
    const records = plain.subarray(RECORD_BATCH_HEADER_BYTES);
    const body = codecOf(this.#compression).compress(records, this.#compressionLevel);
    if (body.length > records.length) return undefined;
    const batch = new Uint8Array(RECORD_BATCH_HEADER_BYTES + body.length);
    batch.set(body, RECORD_BATCH_HEADER_BYTES);
    return batch;
  }
}

/** The bytes of a record behind its length. */
function recordBodyBytes(
  record: RecordInput,
  headers: readonly RecordHeader[],
  timestampDelta: number,
  offsetDelta: number,
): number {
  let count = 1 + varlongBytes(timestampDelta) + varintBytes(offsetDelta);
  count += nullableBytes(record.key) + nullableBytes(record.value) + varintBytes(headers.length);
  for (const header of headers) {
    const keyBytes = utf8Bytes(header.key);
    count += varintBytes(keyBytes) + keyBytes + nullableBytes(header.value);
  }
  return count;
}

function nullableBytes(value: Uint8Array | null): number {
  return value === null ? 1 : varintBytes(value.length) + value.length;
}

function writeNullable(bytes: Uint8Array, position: number, value: Uint8Array | null): number {
  if (value === null) return writeVarint(bytes, position, -1);
  const start = writeVarint(bytes, position, value.length);
  bytes.set(value, start);
  return start + value.length;
}
