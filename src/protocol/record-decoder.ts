/** Opens record batches, one record at a time. Keys and values are views of the batch, never copies. */

import { codecOf } from './compression.ts';
import { KafkaError } from './errors.ts';
import {
  ATTRIBUTE,
  RECORD_BATCH_HEADER_BYTES,
  RECORD_BATCH_MAGIC,
  RECORD_BYTES_MIN,
  RecordBatchError,
  type RecordBatchHeader,
  readBatchHeader,
} from './record-batch.ts';
import type { RecordHeader } from './record-batch-builder.ts';
import { readUtf8 } from './utf8.ts';
import { VarintReader } from './varint.ts';

export interface RecordData {
  readonly offset: number;
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly RecordHeader[];
}

/** What a compressed batch may grow to. */
const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;
/** The smallest header: an empty key and no value. */
const HEADER_BYTES_MIN = 2;
const NO_HEADERS: readonly RecordHeader[] = [];

/** All records of one batch. See `iterateRecords`; this is the consumer's hot path, which no generator slows down. */
export function decodeRecords(batch: Uint8Array): RecordData[] {
  const header = readBatchHeader(batch);
  const reader = openRecords(batch, header);
  const { end } = reader;
  const records: RecordData[] = [];
  for (let i = 0; i < header.recordCount; i++) {
    records.push(readRecord(reader, header));
    reader.end = end;
  }
  checkEnd(reader);
  return records;
}

/**
 * The records of the one batch that `batch` begins with, decoded as they are asked for. The CRC is not checked: see
 * `verifyBatch`. Throws `RecordBatchError`, and `KafkaError` `UNSUPPORTED_COMPRESSION_TYPE` for want of a codec.
 */
export function* iterateRecords(batch: Uint8Array): Generator<RecordData, void, undefined> {
  const header = readBatchHeader(batch);
  const reader = openRecords(batch, header);
  const { end } = reader;
  for (let i = 0; i < header.recordCount; i++) {
    yield readRecord(reader, header);
    reader.end = end;
  }
  checkEnd(reader);
}

function checkEnd({ remaining }: VarintReader): void {
  if (remaining > 0) {
    throw new RecordBatchError('corrupt', `${remaining} bytes remain behind the last record`);
  }
}

/** The records of the batch, as many as can be in there. */
function openRecords(batch: Uint8Array, header: RecordBatchHeader): VarintReader {
  const reader = openBody(batch, header);
  const { recordCount } = header;
  if (recordCount < 0 || recordCount > reader.remaining / RECORD_BYTES_MIN) {
    throw new RecordBatchError('corrupt', `${recordCount} records cannot be in ${reader.remaining} bytes`);
  }
  return reader;
}

function openBody(batch: Uint8Array, header: RecordBatchHeader): VarintReader {
  const { sizeBytes, magic, attributes } = header;
  if (magic !== RECORD_BATCH_MAGIC)
    throw new RecordBatchError('corrupt', `record format ${magic} is not supported`);
  if (sizeBytes > batch.length) {
    throw new RecordBatchError(
      'truncated',
      `a batch of ${sizeBytes} bytes, of which ${batch.length} are there`,
    );
  }
  const compression = attributes & ATTRIBUTE.compressionMask;
  if (compression === 0) return new VarintReader(batch, RECORD_BATCH_HEADER_BYTES, sizeBytes);
  const codec = codecOf(compression);
  const body = decompress(() =>
    codec.decompress(batch.subarray(RECORD_BATCH_HEADER_BYTES, sizeBytes), DECOMPRESSED_BYTES_MAX),
  );
  return new VarintReader(body, 0, body.length);
}

/** Whatever a codec throws at bad bytes becomes our one error. */
function decompress(run: () => Uint8Array): Uint8Array {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof KafkaError) throw cause;
    throw new RecordBatchError('corrupt', 'the records cannot be decompressed', { cause });
  }
}

/** Leaves `reader.end` at the end of the record. */
function readRecord(reader: VarintReader, batch: RecordBatchHeader): RecordData {
  const recordBytes = reader.varint();
  if (recordBytes < 0 || recordBytes > reader.remaining) {
    throw new RecordBatchError(
      'corrupt',
      `a record of ${recordBytes} bytes where ${reader.remaining} remain`,
    );
  }
  reader.end = reader.position + recordBytes;
  reader.byte(); // The record's own attributes: none is defined.
  const timestampDelta = reader.varlong();
  const offsetDelta = reader.varint();
  if (offsetDelta < 0 || offsetDelta > batch.lastOffsetDelta) {
    throw new RecordBatchError(
      'corrupt',
      `a record at +${offsetDelta}, but the last is at +${batch.lastOffsetDelta}`,
    );
  }
  const key = reader.nullableBytes();
  const value = reader.nullableBytes();
  const headers = readHeaders(reader);
  if (reader.remaining > 0) {
    throw new RecordBatchError('corrupt', `a record's fields end ${reader.remaining} bytes early`);
  }
  return {
    offset: batch.baseOffset + offsetDelta,
    timestamp:
      (batch.attributes & ATTRIBUTE.logAppendTime) !== 0
        ? batch.maxTimestamp
        : batch.baseTimestamp + timestampDelta,
    key,
    value,
    headers,
  };
}

function readHeaders(reader: VarintReader): readonly RecordHeader[] {
  const count = reader.varint();
  if (count === 0) return NO_HEADERS;
  if (count < 0 || count > reader.remaining / HEADER_BYTES_MIN) {
    throw new RecordBatchError('corrupt', `${count} headers cannot be in ${reader.remaining} bytes`);
  }
  const headers: RecordHeader[] = [];
  for (let i = 0; i < count; i++) {
    const key = reader.nullableBytes();
    if (key === null) throw new RecordBatchError('corrupt', 'a header without a key');
    headers.push({ key: readUtf8(key), value: reader.nullableBytes() });
  }
  return headers;
}
