import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  lastOffsetOf,
  lastSequenceOf,
  readBatchHeader,
  splitBatches,
  stampAppendTime,
  stampBatch,
  stampProducer,
  verifyBatch,
} from '../../src/protocol/record-batch.ts';
import { RecordBatchBuilder, type RecordInput } from '../../src/protocol/record-batch-builder.ts';
import { decodeRecords, type RecordData } from '../../src/protocol/record-decoder.ts';
import { batchOf, records } from './support/records.ts';

/** What the decoder must give back for these records, in a batch at `baseOffset`. */
function expected(input: readonly RecordInput[], baseOffset = 0): RecordData[] {
  return input.map((record, i) => ({
    offset: baseOffset + i,
    timestamp: record.timestamp,
    key: record.key,
    value: record.value,
    headers: record.headers ?? [],
  }));
}

const producers = fc.record({
  producerId: fc.maxSafeNat(),
  producerEpoch: fc.nat(0x7fff),
  baseSequence: fc.nat(0x7fffffff),
});

test('a batch decodes to the records it was built of', () => {
  fc.assert(
    fc.property(records, producers, (input, producer) => {
      const batch = batchOf(input, producer);
      const header = verifyBatch(batch);
      expect(header).toMatchObject({
        ...producer,
        baseOffset: 0,
        sizeBytes: batch.length,
        partitionLeaderEpoch: -1,
        magic: 2,
        attributes: 0,
        recordCount: input.length,
        lastOffsetDelta: input.length - 1,
        baseTimestamp: input[0]?.timestamp,
        maxTimestamp: Math.max(...input.map((record) => record.timestamp)),
      });
      expect(decodeRecords(batch)).toEqual(expected(input));
    }),
  );
});

test('offset and leader epoch are stamped outside the checksum', () => {
  fc.assert(
    fc.property(records, fc.nat(2 ** 40), fc.nat(0x7fffffff), (input, baseOffset, epoch) => {
      const batch = batchOf(input);
      stampBatch(batch, 0, baseOffset, epoch);
      const header = verifyBatch(batch);
      expect(header).toMatchObject({ baseOffset, partitionLeaderEpoch: epoch });
      expect(lastOffsetOf(header)).toBe(baseOffset + input.length - 1);
      expect(decodeRecords(batch)).toEqual(expected(input, baseOffset));
    }),
  );
});

test('the producer may be stamped after the batch was built', () => {
  fc.assert(
    fc.property(records, producers, (input, producer) => {
      const late = batchOf(input);
      stampProducer(late, 0, producer);
      expect(late).toEqual(batchOf(input, producer));
    }),
  );
});

test('log append time replaces the timestamp of every record', () => {
  fc.assert(
    fc.property(records, fc.nat(2 ** 45), (input, now) => {
      const batch = batchOf(input);
      stampAppendTime(batch, 0, now);
      expect(verifyBatch(batch).maxTimestamp).toBe(now);
      expect(decodeRecords(batch).every((record) => record.timestamp === now)).toBe(true);
    }),
  );
});

test('batches are split at their bounds, and a partial last one is ignored', () => {
  fc.assert(
    fc.property(
      fc.array(records, { maxLength: 4 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      (inputs, part) => {
        const batches = inputs.map((input) => batchOf(input));
        const last = batchOf([{ timestamp: 1, key: null, value: new Uint8Array(20) }]);
        const all = concat([...batches, last.subarray(0, Math.floor(last.length * part))]);
        expect(splitBatches(all).map((batch) => [...batch])).toEqual(batches.map((batch) => [...batch]));
      },
    ),
  );
});

test('the size limit refuses a record that does not fit, but never the first', () => {
  const builder = new RecordBatchBuilder({ sizeBytesMax: 200 });
  const record = { timestamp: 0, key: null, value: new Uint8Array(100) };
  expect(builder.tryAppend(record)).toBe(true);
  expect(builder.tryAppend(record)).toBe(false);
  expect(builder.tryAppend({ ...record, value: new Uint8Array(1) })).toBe(true);
  expect(builder.count).toBe(2);
  const { sizeBytes } = builder;
  expect(builder.build().length).toBe(sizeBytes);

  const small = new RecordBatchBuilder({ sizeBytesMax: 10 });
  expect(small.tryAppend(record)).toBe(true);
  expect(decodeRecords(small.build())).toHaveLength(1);
});

test('a built or empty batch refuses misuse', () => {
  const builder = new RecordBatchBuilder({ sizeBytesMax: 1000 });
  expect(() => builder.build()).toThrow('at least one record');
  expect(() => builder.tryAppend({ timestamp: Number.NaN, key: null, value: null })).toThrow(RangeError);
  builder.tryAppend({ timestamp: 0, key: null, value: null });
  builder.build();
  expect(() => builder.tryAppend({ timestamp: 0, key: null, value: null })).toThrow('built already');
});

test('sequence numbers wrap around', () => {
  const three = [0, 1, 2].map((timestamp) => ({ timestamp, key: null, value: null }));
  const batch = batchOf(three, { producerId: 7, producerEpoch: 0, baseSequence: 0x7fffffff });
  expect(lastSequenceOf(readBatchHeader(batch))).toBe(1);
  expect(lastSequenceOf(readBatchHeader(batchOf(three)))).toBe(-1);
});

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}
