/** Hostile bytes at the codecs: damaged and invented ones end in an error or in bytes within the limit, and soon. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/client/rpc.ts';
import { javascriptCodecs } from '../../src/protocol/codecs/javascript.ts';
import { nodeCodecs } from '../../src/protocol/codecs/node.ts';
import { COMPRESSION, setCodec } from '../../src/protocol/compression.ts';
import { RecordBatchError } from '../../src/protocol/record-batch.ts';
import { RecordBatchBuilder } from '../../src/protocol/record-batch-builder.ts';
import { decodeRecords } from '../../src/protocol/record-decoder.ts';

const BYTES_MAX = 300_000;
const names = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const loaders = { native: nodeCodecs(silentLogger), javascript: javascriptCodecs };
const cases = Object.entries(loaders).flatMap(([kind, load]) => names.map((name) => ({ kind, load, name })));

const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 8 });
const seedText = 'a spool of thread rolls down the stairs, and threads of different sorts trail behind it. ';
const plain = new TextEncoder().encode(seedText.repeat(900));

test.each(cases)('$name, $kind: damaged streams', async ({ load, name }) => {
  const codec = await load(COMPRESSION[name]);
  const packed = codec.compress(plain);
  fc.assert(
    fc.property(damage, fc.double({ min: 0, max: 1, noNaN: true }), (edits, cut) => {
      const bytes = packed.slice(0, Math.max(1, Math.ceil(packed.length * (cut < 0.3 ? cut * 3 : 1))));
      // Most damage near the front, where the headers are.
      for (const { at, byte } of edits)
        bytes[at % (at % 3 === 0 ? bytes.length : Math.min(40, bytes.length))] = byte;
      try {
        expect(codec.decompress(bytes, BYTES_MAX).length).toBeLessThanOrEqual(BYTES_MAX + 1);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 3_000 },
  );
});

test.each(cases)('$name, $kind: invented streams behind a true beginning', async ({ load, name }) => {
  const codec = await load(COMPRESSION[name]);
  const packed = codec.compress(plain);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 24 }), fc.uint8Array({ maxLength: 400 }), (kept, tail) => {
      const bytes = new Uint8Array([...packed.subarray(0, kept), ...tail]);
      try {
        expect(codec.decompress(bytes, BYTES_MAX).length).toBeLessThanOrEqual(BYTES_MAX + 1);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
    { numRuns: 3_000 },
  );
});

test.each(cases)('$name, $kind: a damaged batch is CORRUPT_MESSAGE', async ({ load, name }) => {
  setCodec(COMPRESSION[name], await load(COMPRESSION[name]));
  const builder = new RecordBatchBuilder({ sizeBytesMax: 100_000, compression: COMPRESSION[name] });
  for (let i = 0; i < 100; i++) builder.tryAppend({ timestamp: i, key: null, value: plain.subarray(0, 300) });
  const batch = builder.build();
  fc.assert(
    fc.property(damage, (edits) => {
      const bytes = batch.slice();
      for (const { at, byte } of edits) bytes[61 + (at % (bytes.length - 61))] = byte;
      try {
        decodeRecords(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RecordBatchError);
      }
    }),
    { numRuns: 300 },
  );
});
