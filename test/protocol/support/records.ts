import fc from 'fast-check';
import type { ProducerStamp } from '../../../src/protocol/record-batch.ts';
import { RecordBatchBuilder, type RecordInput } from '../../../src/protocol/record-batch-builder.ts';

const bytes = fc.uint8Array({ maxLength: 200 });
const timestamp = fc.oneof(
  fc.integer({ min: 1_600_000_000_000, max: 1_800_000_000_000 }),
  fc.integer({ min: -(2 ** 52), max: 2 ** 52 }),
);

const record: fc.Arbitrary<RecordInput> = fc.record(
  {
    timestamp,
    key: fc.option(bytes),
    value: fc.option(bytes),
    headers: fc.array(
      fc.record({ key: fc.string({ unit: 'grapheme' }), value: fc.option(bytes) }, { noNullPrototype: true }),
      { maxLength: 3 },
    ),
  },
  { requiredKeys: ['timestamp', 'key', 'value'], noNullPrototype: true },
);

/** Records for one batch. */
export const records = fc.array(record, { minLength: 1, maxLength: 20 });

export function batchOf(input: readonly RecordInput[], producer?: ProducerStamp): Uint8Array {
  const builder = new RecordBatchBuilder({ sizeBytesMax: Number.MAX_SAFE_INTEGER });
  for (const each of input) builder.tryAppend(each);
  return builder.build(producer);
}
