/** Whatever the bytes, reading record batches throws nothing but its typed errors, and allocates by no bare count. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readInt32, writeInt32 } from '../../src/protocol/bytes.ts';
import { COMPRESSION, setCodec } from '../../src/protocol/compression.ts';
import { crc32c } from '../../src/protocol/crc32c.ts';
import { KafkaError } from '../../src/protocol/errors.ts';
import {
  ATTRIBUTE,
  FIELD,
  RECORD_BATCH_HEADER_BYTES,
  RecordBatchError,
  readBatchHeader,
  splitBatches,
  verifyBatch,
} from '../../src/protocol/record-batch.ts';
import { RecordBatchBuilder } from '../../src/protocol/record-batch-builder.ts';
import { decodeRecords, iterateRecords } from '../../src/protocol/record-decoder.ts';
import { damage, damages, largestAllocation } from './support/fuzz.ts';
import { batchOf, records } from './support/records.ts';

/** The error that `read` throws, if any; a failed expectation for one that it may not throw. */
function errorOf(read: () => unknown): RecordBatchError | KafkaError | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (error instanceof KafkaError) expect(error.code).toBe('UNSUPPORTED_COMPRESSION_TYPE');
    else expect(error).toBeInstanceOf(RecordBatchError);
    return error as RecordBatchError | KafkaError;
  }
}

function readEverything(bytes: Uint8Array): void {
  const largest = largestAllocation(() => {
    errorOf(() => readBatchHeader(bytes));
    errorOf(() => verifyBatch(bytes));
    errorOf(() => splitBatches(bytes).map((batch) => errorOf(() => decodeRecords(batch))));
    errorOf(() => decodeRecords(bytes));
  });
  expect(largest).toBeLessThanOrEqual(bytes.length);
}

/** Makes size and checksum true again, so that damage reaches what lies behind them. */
function mend(bytes: Uint8Array): Uint8Array {
  if (bytes.length < RECORD_BATCH_HEADER_BYTES) return bytes;
  writeInt32(bytes, FIELD.length, bytes.length - FIELD.partitionLeaderEpoch);
  writeInt32(bytes, FIELD.crc, crc32c(bytes, FIELD.attributes));
  return bytes;
}

test('random bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      readEverything(bytes);
      readEverything(mend(bytes));
    }),
    { numRuns: 500 },
  );
});

test('damaged batches', () => {
  fc.assert(
    fc.property(records, damages, (input, harm) => {
      const bytes = damage(batchOf(input), harm);
      readEverything(bytes);
      readEverything(mend(bytes));
    }),
    { numRuns: 1000 },
  );
});

test('any change of a bit below the checksum is noticed', () => {
  fc.assert(
    fc.property(records, fc.nat(), (input, bit) => {
      const bytes = batchOf(input);
      const at = FIELD.crc + ((bit >> 3) % (bytes.length - FIELD.crc));
      bytes[at] = (bytes[at] as number) ^ (1 << (bit & 7));
      expect(errorOf(() => verifyBatch(bytes))?.code).toBe('corrupt');
    }),
  );
});

test('a batch cut off at any byte is truncated, and not split off', () => {
  const bytes = batchOf([
    { timestamp: 5, key: Uint8Array.of(1), value: new Uint8Array(70), headers: [{ key: 'a', value: null }] },
    { timestamp: 6, key: null, value: Uint8Array.of(2) },
  ]);
  for (let length = 0; length < bytes.length; length++) {
    const cut = bytes.subarray(0, length);
    expect(errorOf(() => verifyBatch(cut))?.code).toBe('truncated');
    expect(errorOf(() => decodeRecords(cut))?.code).toBe('truncated');
    expect(splitBatches(cut)).toEqual([]);
    // The same, where the header claims that this is all there is.
    const claimed = mend(cut.slice());
    expect(errorOf(() => decodeRecords(claimed))).toBeDefined();
  }
});

const one = () => batchOf([{ timestamp: 0, key: null, value: null }]);

test.each([
  ['a record count of 2^31 - 1', FIELD.recordCount, 0x7fffffff],
  ['a negative record count', FIELD.recordCount, -1],
  ['more records than offsets', FIELD.recordCount, 2],
  ['a negative last offset', FIELD.lastOffsetDelta, -5],
])('%s', (_case, field, value) => {
  const bytes = one();
  writeInt32(bytes, field, value);
  mend(bytes);
  expect(errorOf(() => verifyBatch(bytes))?.code).toBe('corrupt');
  expect(errorOf(() => decodeRecords(bytes))?.code).toBe('corrupt');
  readEverything(bytes);
});

test.each([
  ['smaller than the header', 0],
  ['negative', -1],
])('a size that is %s', (_case, length) => {
  const bytes = one();
  writeInt32(bytes, FIELD.length, length);
  for (const read of [readBatchHeader, verifyBatch, splitBatches, decodeRecords]) {
    expect(errorOf(() => read(bytes))?.code).toBe('corrupt');
  }
});

/** A batch around these bytes in place of records. */
function batchAround(recordCount: number, ...body: number[]): Uint8Array {
  const bytes = Uint8Array.of(...one().subarray(0, RECORD_BATCH_HEADER_BYTES), ...body);
  writeInt32(bytes, FIELD.recordCount, recordCount);
  return mend(bytes);
}

// A record: length, attributes, timestamp delta, offset delta, key, value, headers; 1 is the varint -1 (null).
test.each([
  ['nothing wrong', undefined, batchAround(1, 12, 0, 0, 0, 1, 1, 0)],
  [
    'a record longer than the batch',
    'a record of 7 bytes where 6 remain',
    batchAround(1, 14, 0, 0, 0, 1, 1, 0),
  ],
  ['a negative record length', 'a record of -1 bytes', batchAround(1, 1, 0, 0, 0, 1, 1, 0)],
  ['a record shorter than its fields', 'in the middle of a field', batchAround(1, 10, 0, 0, 0, 1, 1, 0)],
  ['bytes behind the fields', 'fields end 1 bytes early', batchAround(1, 14, 0, 0, 0, 1, 1, 0, 0)],
  ['bytes behind the last record', '1 bytes remain', batchAround(1, 12, 0, 0, 0, 1, 1, 0, 0)],
  ['an offset beyond the last', 'a record at +1', batchAround(1, 12, 0, 0, 2, 1, 1, 0)],
  ['an offset before the first', 'a record at +-1', batchAround(1, 12, 0, 0, 1, 1, 1, 0)],
  ['a key beyond the record', 'a length of 3 bytes where 2 remain', batchAround(1, 12, 0, 0, 0, 6, 1, 0)],
  ['a key of -2 bytes', 'a length of -2 bytes', batchAround(1, 12, 0, 0, 0, 3, 1, 0)],
  ['more headers than bytes', '1 headers cannot be in 0', batchAround(1, 12, 0, 0, 0, 1, 1, 2)],
  ['2^31 - 1 headers', 'cannot be in 0', batchAround(1, 20, 0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f)],
  ['a header without a key', 'without a key', batchAround(1, 16, 0, 0, 0, 1, 1, 2, 1, 1)],
])('a batch with %s', (_case, reason, bytes) => {
  const error = errorOf(() => decodeRecords(bytes));
  if (reason === undefined) expect(error).toBeUndefined();
  else expect(error?.message).toContain(reason);
});

test('records are decoded as they are asked for', () => {
  const bytes = batchOf([5, 6].map((timestamp) => ({ timestamp, key: null, value: null })));
  const iterator = iterateRecords(bytes.fill(0xff, bytes.length - 7));
  expect(iterator.next().value).toMatchObject({ timestamp: 5 });
  expect(errorOf(() => iterator.next())?.code).toBe('corrupt');
});

test('older record formats are refused by name', () => {
  const bytes = one();
  bytes[FIELD.magic] = 1;
  expect(() => verifyBatch(bytes)).toThrow('record format 1 is not supported');
  expect(() => decodeRecords(bytes)).toThrow('record format 1 is not supported');
});

test.each([1, 2, 3, 4, 5, 6, 7])('compression %i without a codec', (id) => {
  const bytes = one();
  bytes[FIELD.attributes + 1] = id;
  mend(bytes);
  expect(verifyBatch(bytes).attributes & ATTRIBUTE.compressionMask).toBe(id);
  expect(errorOf(() => decodeRecords(bytes))?.code).toBe('UNSUPPORTED_COMPRESSION_TYPE');
});

test('an installed codec is used both ways, is told its limit, and its failures are corruption', () => {
  const flip = (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0xff);
  let limit = 0;
  setCodec(COMPRESSION.lz4, {
    compress: flip,
    decompress(bytes, bytesMax) {
      limit = bytesMax;
      if (bytes[0] === 0) throw new TypeError('bad magic');
      return flip(bytes);
    },
  });
  const builder = new RecordBatchBuilder({ sizeBytesMax: 1000, compression: COMPRESSION.lz4 });
  builder.tryAppend({ timestamp: 9, key: null, value: Uint8Array.of(1, 2, 3) });
  const batch = builder.build();
  expect(verifyBatch(batch).attributes).toBe(COMPRESSION.lz4);
  expect(decodeRecords(batch)).toMatchObject([{ timestamp: 9, value: Uint8Array.of(1, 2, 3) }]);
  expect(limit).toBeGreaterThan(0);
  batch[RECORD_BATCH_HEADER_BYTES] = 0;
  expect(errorOf(() => decodeRecords(batch))?.code).toBe('corrupt');
});

test('the helpers mend what they mean to', () => {
  const bytes = one();
  expect(readInt32(mend(bytes), FIELD.length)).toBe(bytes.length - 12);
  expect(errorOf(() => verifyBatch(bytes))).toBeUndefined();
});
