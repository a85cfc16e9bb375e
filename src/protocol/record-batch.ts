/**
 * The record batch, Kafka's format v2: the unit on the wire, on disk and in memory. This file reads and checks
 * headers and stamps them in place; `record-batch-builder.ts` makes batches, `record-decoder.ts` opens them.
 *
 * The CRC covers everything from the attributes on, so a broker may write base offset and leader epoch, which lie
 * before it, into the bytes that the producer made.
 */

import {
  readInt8,
  readInt16,
  readInt32,
  readInt64,
  readUint32,
  writeInt16,
  writeInt32,
  writeInt64,
} from './bytes.ts';
import { crc32c } from './crc32c.ts';
import { RecordBatchError } from './record-batch-error.ts';

export { RecordBatchError } from './record-batch-error.ts';

export const RECORD_BATCH_HEADER_BYTES = 61;
export const RECORD_BATCH_MAGIC = 2;

/** Base offset and length: what comes before the part that the length counts. */
const LENGTH_OVERHEAD_BYTES = 12;
/** The smallest record: seven fields of one byte each. */
export const RECORD_BYTES_MIN = 7;

/** Where each field of the header begins. */
export const FIELD = {
  baseOffset: 0,
  length: 8,
  partitionLeaderEpoch: 12,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  producerEpoch: 51,
  baseSequence: 53,
  recordCount: 57,
} as const;

/** The bits of a batch's attributes. */
export const ATTRIBUTE = {
  compressionMask: 0x07,
  /** Set: every record has the time of its append, the batch's `maxTimestamp`. */
  logAppendTime: 0x08,
  transactional: 0x10,
  control: 0x20,
} as const;

export interface RecordBatchHeader {
  readonly baseOffset: number;
  /** The whole batch, this header included. */
  readonly sizeBytes: number;
  readonly partitionLeaderEpoch: number;
  readonly magic: number;
  readonly crc: number;
  readonly attributes: number;
  readonly lastOffsetDelta: number;
  readonly baseTimestamp: number;
  readonly maxTimestamp: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly recordCount: number;
}

/** The offset of the last record that the batch holds (or held, before compaction). */
export function lastOffsetOf(header: RecordBatchHeader): number {
  return header.baseOffset + header.lastOffsetDelta;
}

/** The sequence number of the batch's last record: sequences wrap around to 0 after 2^31 - 1. */
export function lastSequenceOf(header: RecordBatchHeader): number {
  if (header.baseSequence < 0) return header.baseSequence;
  return (header.baseSequence + header.lastOffsetDelta) % 0x8000_0000;
}

/**
 * Reads the header at `position`. The rest of the batch need not be there (compare `sizeBytes` with what is), and
 * neither magic nor checksum is checked: see `verifyBatch`.
 */
export function readBatchHeader(bytes: Uint8Array, position = 0): RecordBatchHeader {
  if (bytes.length - position < RECORD_BATCH_HEADER_BYTES) {
    throw new RecordBatchError(
      'truncated',
      `${bytes.length - position} bytes cannot hold a record batch's header`,
    );
  }
  return {
    baseOffset: readSafe(bytes, position + FIELD.baseOffset),
    sizeBytes: readSize(bytes, position),
    partitionLeaderEpoch: readInt32(bytes, position + FIELD.partitionLeaderEpoch),
    magic: readInt8(bytes, position + FIELD.magic),
    crc: readUint32(bytes, position + FIELD.crc),
    attributes: readInt16(bytes, position + FIELD.attributes),
    lastOffsetDelta: readInt32(bytes, position + FIELD.lastOffsetDelta),
    baseTimestamp: readSafe(bytes, position + FIELD.baseTimestamp),
    maxTimestamp: readSafe(bytes, position + FIELD.maxTimestamp),
    producerId: readSafe(bytes, position + FIELD.producerId),
    producerEpoch: readInt16(bytes, position + FIELD.producerEpoch),
    baseSequence: readInt32(bytes, position + FIELD.baseSequence),
    recordCount: readInt32(bytes, position + FIELD.recordCount),
  };
}

function readSafe(bytes: Uint8Array, position: number): number {
  const value = readInt64(bytes, position);
  if (!Number.isSafeInteger(value))
    throw new RecordBatchError('corrupt', `a header field is beyond 2^53: ${value}`);
  return value;
}

function readSize(bytes: Uint8Array, position: number): number {
  const sizeBytes = readInt32(bytes, position + FIELD.length) + LENGTH_OVERHEAD_BYTES;
  if (sizeBytes < RECORD_BATCH_HEADER_BYTES) {
    throw new RecordBatchError('corrupt', `a record batch of ${sizeBytes} bytes is smaller than its header`);
  }
  return sizeBytes;
}

/** How `batch` is compressed (an id of `COMPRESSION`), by its header alone. */
export function compressionOf(batch: Uint8Array): number {
  return readInt16(batch, FIELD.attributes) & ATTRIBUTE.compressionMask;
}

/** Reads the header at `position` and checks the whole batch: complete, magic, checksum, counts that can be true. */
export function verifyBatch(bytes: Uint8Array, position = 0): RecordBatchHeader {
  const header = readBatchHeader(bytes, position);
  const { sizeBytes, magic, crc, lastOffsetDelta, recordCount } = header;
  if (magic !== RECORD_BATCH_MAGIC) {
    throw new RecordBatchError(
      'corrupt',
      `record format ${magic} is not supported, only ${RECORD_BATCH_MAGIC}`,
    );
  }
  if (sizeBytes > bytes.length - position) {
    throw new RecordBatchError(
      'truncated',
      `a batch of ${sizeBytes} bytes, of which ${bytes.length - position} are there`,
    );
  }
  const computed = crc32c(bytes, position + FIELD.attributes, position + sizeBytes);
  if (computed !== crc) {
    throw new RecordBatchError(
      'corrupt',
      `the checksum is ${computed.toString(16)}, the header says ${crc.toString(16)}`,
    );
  }
  const compressed = (header.attributes & ATTRIBUTE.compressionMask) !== 0;
  const recordCountMax = compressed
    ? lastOffsetDelta + 1
    : Math.min(lastOffsetDelta + 1, Math.floor((sizeBytes - RECORD_BATCH_HEADER_BYTES) / RECORD_BYTES_MIN));
  if (lastOffsetDelta < 0 || recordCount < 0 || recordCount > recordCountMax) {
    throw new RecordBatchError(
      'corrupt',
      `${recordCount} records up to offset +${lastOffsetDelta} cannot be in ${sizeBytes} bytes`,
    );
  }
  return header;
}

/** A view of every complete batch, in order. A partial last one is ignored: a fetch may cut it off. Checks no CRC. */
export function splitBatches(bytes: Uint8Array): Uint8Array[] {
  const batches: Uint8Array[] = [];
  let position = 0;
  while (bytes.length - position >= RECORD_BATCH_HEADER_BYTES) {
    const sizeBytes = readSize(bytes, position);
    if (sizeBytes > bytes.length - position) break;
    batches.push(bytes.subarray(position, position + sizeBytes));
    position += sizeBytes;
  }
  return batches;
}

/** The ids of the compressions that the complete batches of a run use. */
export function compressionsIn(run: Uint8Array): Set<number> {
  const ids = new Set<number>();
  for (const batch of splitBatches(run)) ids.add(compressionOf(batch));
  return ids;
}

/** Writes, in place, what a leader assigns. Outside the CRC, so that the producer's checksum stays true. */
export function stampBatch(
  bytes: Uint8Array,
  position: number,
  baseOffset: number,
  partitionLeaderEpoch: number,
): void {
  writeInt64(bytes, position + FIELD.baseOffset, baseOffset);
  writeInt32(bytes, position + FIELD.partitionLeaderEpoch, partitionLeaderEpoch);
}

/** Gives every record the time of its append (topic config `message.timestamp.type`), in place; renews the CRC. */
export function stampAppendTime(bytes: Uint8Array, position: number, timestampMs: number): void {
  const attributes = readInt16(bytes, position + FIELD.attributes);
  writeInt16(bytes, position + FIELD.attributes, attributes | ATTRIBUTE.logAppendTime);
  writeInt64(bytes, position + FIELD.maxTimestamp, timestampMs);
  stampCrc(bytes, position);
}

export interface ProducerStamp {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

/** Writes, in place, who made the batch and its sequence number; renews the CRC. */
export function stampProducer(bytes: Uint8Array, position: number, producer: ProducerStamp): void {
  writeInt64(bytes, position + FIELD.producerId, producer.producerId);
  writeInt16(bytes, position + FIELD.producerEpoch, producer.producerEpoch);
  writeInt32(bytes, position + FIELD.baseSequence, producer.baseSequence);
  stampCrc(bytes, position);
}

function stampCrc(bytes: Uint8Array, position: number): void {
  const end = position + readSize(bytes, position);
  writeInt32(bytes, position + FIELD.crc, crc32c(bytes, position + FIELD.attributes, end));
}
