/** The bytes of our record batches against those of three other implementations; see `howMade` in the fixture. */

import { readFileSync } from 'node:fs';
import record from 'kafkajs/src/protocol/recordBatch/record/v0/index.js';
import { RecordBatch } from 'kafkajs/src/protocol/recordBatch/v0/index.js';
import Long from 'kafkajs/src/utils/long.js';
import { expect, test } from 'vitest';
import { KafkaError } from '../../src/protocol/errors.ts';
import {
  ATTRIBUTE,
  readBatchHeader,
  splitBatches,
  stampBatch,
  verifyBatch,
} from '../../src/protocol/record-batch.ts';
import { RecordBatchBuilder, type RecordInput } from '../../src/protocol/record-batch-builder.ts';
import { decodeRecords } from '../../src/protocol/record-decoder.ts';

interface Case {
  readonly name: string;
  readonly baseOffset: number;
  readonly partitionLeaderEpoch: number;
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
  readonly transactional: boolean;
  readonly logAppendTime: boolean;
  readonly records: readonly {
    readonly timestamp: number;
    readonly key: string | null;
    readonly value: string | null;
    readonly headers: readonly (readonly [string, string | null])[];
  }[];
  /** The bytes, by implementation. */
  readonly batches: Readonly<Record<string, string>>;
}

interface Golden {
  readonly cases: readonly Case[];
  readonly control: string;
  readonly gzip: string;
}

const golden: Golden = JSON.parse(
  readFileSync(new URL('golden/record-batches.json', import.meta.url), 'utf8'),
);

const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const nullable = (hex: string | null): Uint8Array | null => (hex === null ? null : fromHex(hex));

function inputOf({ records }: Case): RecordInput[] {
  return records.map(({ timestamp, key, value, headers }) => ({
    timestamp,
    key: nullable(key),
    value: nullable(value),
    headers: headers.map(([name, text]) => ({ key: name, value: nullable(text) })),
  }));
}

function ours(each: Case): Uint8Array {
  const builder = new RecordBatchBuilder({ sizeBytesMax: 1_000_000, transactional: each.transactional });
  for (const input of inputOf(each)) expect(builder.tryAppend(input)).toBe(true);
  return builder.build(each);
}

async function kafkajs(each: Case): Promise<Uint8Array> {
  const times = each.records.map(({ timestamp }) => timestamp);
  const [firstTimestamp = 0] = times;
  const { buffer } = await RecordBatch({
    firstOffset: Long.fromValue(each.baseOffset),
    firstTimestamp,
    maxTimestamp: Math.max(...times),
    partitionLeaderEpoch: each.partitionLeaderEpoch,
    lastOffsetDelta: times.length - 1,
    transactional: each.transactional,
    producerId: Long.fromValue(each.producerId),
    producerEpoch: each.producerEpoch,
    firstSequence: each.baseSequence,
    records: each.records.map(({ timestamp, key, value, headers }, offsetDelta) =>
      record({
        offsetDelta,
        timestampDelta: timestamp - firstTimestamp,
        key: key === null ? null : Buffer.from(key, 'hex'),
        value: value === null ? null : Buffer.from(value, 'hex'),
        headers: Object.fromEntries(headers.map(([name, text]) => [name, Buffer.from(text ?? '', 'hex')])),
      }),
    ),
  });
  return buffer;
}

/** Every case with the bytes of every implementation that can make it. */
const captured = golden.cases.flatMap((each) =>
  Object.entries(each.batches).map(([implementation, hex]) => ({
    implementation,
    name: each.name,
    each,
    hex,
  })),
);

test.each(captured)('read from $implementation: $name', ({ each, hex }) => {
  const bytes = fromHex(hex);
  const header = verifyBatch(bytes);
  expect(header).toMatchObject({
    producerId: each.producerId,
    producerEpoch: each.producerEpoch,
    baseSequence: each.baseSequence,
    recordCount: each.records.length,
  });
  expect((header.attributes & ATTRIBUTE.transactional) !== 0).toBe(each.transactional);
  const expected = inputOf(each).map((input, i) => ({
    ...input,
    timestamp: each.logAppendTime ? header.maxTimestamp : input.timestamp,
    offset: each.baseOffset + i,
  }));
  expect(decodeRecords(bytes)).toEqual(expected);
});

// Append time is stamped by a broker: no producer writes such a batch.
test.each(captured.filter(({ each }) => !each.logAppendTime))(
  'written as by $implementation: $name',
  ({ each, hex }) => {
    const bytes = ours(each);
    const { baseOffset, partitionLeaderEpoch } = readBatchHeader(fromHex(hex));
    stampBatch(bytes, 0, baseOffset, partitionLeaderEpoch);
    expect(toHex(bytes)).toBe(hex);
  },
);

test.each(captured.filter(({ implementation }) => implementation === 'kafkajs'))(
  'kafkajs as installed still writes these bytes: $name',
  async ({ each, hex }) => {
    expect(toHex(await kafkajs(each))).toBe(hex);
  },
);

test('a control batch of kafka-clients is read', () => {
  const bytes = fromHex(golden.control);
  const header = verifyBatch(bytes);
  expect(header.attributes).toBe(ATTRIBUTE.control | ATTRIBUTE.transactional);
  expect(header).toMatchObject({
    baseOffset: 500,
    partitionLeaderEpoch: 9,
    producerId: 4000,
    producerEpoch: 7,
  });
  // The key of an end-of-transaction marker: version 0, type 1 (commit).
  expect(decodeRecords(bytes)).toMatchObject([{ offset: 500, key: Uint8Array.of(0, 0, 0, 1) }]);
});

test('a compressed batch passes the checks, and only opening it needs the codec', () => {
  const bytes = fromHex(golden.gzip);
  expect(verifyBatch(bytes).attributes & ATTRIBUTE.compressionMask).toBe(1);
  expect(splitBatches(bytes)).toHaveLength(1);
  expect(() => decodeRecords(bytes)).toThrow(KafkaError);
  expect(() => decodeRecords(bytes)).toThrow('no codec is installed for compression gzip');
});
