/** The codecs, native and in JavaScript, against each other and against batches and streams of other implementations. */

import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/client/rpc.ts';
import { nativeZstd } from '../../src/platform/native-codecs.ts';
import { javascriptCodecs } from '../../src/protocol/codecs/javascript.ts';
import { nodeCodecs } from '../../src/protocol/codecs/node.ts';
import {
  COMPRESSION,
  type Codec,
  type CompressionName,
  loadCodec,
  setCodec,
} from '../../src/protocol/compression.ts';
import { ATTRIBUTE, verifyBatch } from '../../src/protocol/record-batch.ts';
import { RecordBatchBuilder } from '../../src/protocol/record-batch-builder.ts';
import { decodeRecords } from '../../src/protocol/record-decoder.ts';

const golden: {
  readonly batches: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly streams: readonly { name: string; codec: CompressionName; lines: number; bytes: string }[];
} = JSON.parse(readFileSync(new URL('golden/compressed-batches.json', import.meta.url), 'utf8'));

const names = ['gzip', 'snappy', 'lz4', 'zstd'] as const;
const loaders = { native: nodeCodecs(silentLogger), javascript: javascriptCodecs };
const kinds = Object.keys(loaders) as (keyof typeof loaders)[];
const codecs = new Map<string, Codec>();
const codec = (kind: string, name: CompressionName): Codec => codecs.get(`${kind} ${name}`) as Codec;
const cases = kinds.flatMap((kind) => names.map((name) => ({ kind, name })));

const fromBase64 = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'base64'));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const MIB = 1_048_576;

/** What the streams of the fixture hold. */
function text(lines: number): Uint8Array {
  let all = '';
  for (let i = 0; i < lines; i++) all += `line ${i} of a text that repeats itself: ${(i * 7919) % 1000}\n`;
  return utf8(all);
}

/** The records of the fixture's batches. */
const records = Array.from({ length: 400 }, (_, i) => ({
  offset: i,
  timestamp: 1_700_000_000_000 + i,
  key: utf8(`key-${i}`),
  value: utf8(
    `{"flight":${(i * 7919) % 1000},"altitude":${(i * 37) % 41000},"text":"the same words again and again, ${i}"}`,
  ),
  headers: [{ key: 'n', value: utf8(String(i)) }],
}));

beforeAll(async () => {
  for (const { kind, name } of cases) codecs.set(`${kind} ${name}`, await loaders[kind](COMPRESSION[name]));
});

describe.each(kinds)('%s', (kind) => {
  const batches = Object.entries(golden.batches).flatMap(([client, byCodec]) =>
    Object.entries(byCodec).map(([name, bytes]) => ({ client, name: name as CompressionName, bytes })),
  );

  test.each(batches)('a $name batch of $client is read', ({ name, bytes }) => {
    setCodec(COMPRESSION[name], codec(kind, name));
    const batch = fromBase64(bytes);
    expect(verifyBatch(batch).attributes & ATTRIBUTE.compressionMask).toBe(COMPRESSION[name]);
    expect(decodeRecords(batch)).toEqual(records);
  });

  test.each(golden.streams)('$name', ({ codec: name, lines, bytes }) => {
    const whole = text(lines);
    expect(Buffer.compare(codec(kind, name).decompress(fromBase64(bytes), whole.length), whole)).toBe(0);
    expect(() => codec(kind, name).decompress(fromBase64(bytes), whole.length - 1)).toThrow();
  });

  test.each(names)('%s: a batch passes the checks, shrinks, and is read again', (name) => {
    setCodec(COMPRESSION[name], codec(kind, name));
    const builder = new RecordBatchBuilder({ sizeBytesMax: MIB, compression: COMPRESSION[name] });
    for (const { timestamp, key, value, headers } of records)
      expect(builder.tryAppend({ timestamp, key, value, headers })).toBe(true);
    const plainBytes = builder.sizeBytes;
    const batch = builder.build();
    expect(batch.length).toBeLessThan(plainBytes / 2);
    expect(verifyBatch(batch)).toMatchObject({
      recordCount: 400,
      lastOffsetDelta: 399,
      sizeBytes: batch.length,
    });
    expect(decodeRecords(batch)).toEqual(records);
  });

  test.each(names)('%s: what does not shrink goes as it is', (name) => {
    setCodec(COMPRESSION[name], codec(kind, name));
    const builder = new RecordBatchBuilder({ sizeBytesMax: MIB, compression: COMPRESSION[name] });
    builder.tryAppend({ timestamp: 0, key: null, value: Uint8Array.of(7) });
    const batch = builder.build();
    expect(verifyBatch(batch).attributes).toBe(COMPRESSION.none);
    expect(decodeRecords(batch)).toHaveLength(1);
  });

  test.each(names)('%s: a bomb is refused before it fills the memory', (name) => {
    const bomb = codec('javascript', name).compress(new Uint8Array(64 * MIB));
    const before = process.memoryUsage();
    expect(() => codec(kind, name).decompress(bomb, MIB)).toThrow();
    const after = process.memoryUsage();
    expect(after.external + after.arrayBuffers - before.external - before.arrayBuffers).toBeLessThan(
      24 * MIB,
    );
  });

  test.each(names)('%s: bytes that end early or go on behind the end never pass for others', (name) => {
    const whole = text(100);
    const packed = codec('javascript', name).compress(whole);
    for (let length = 0; length < packed.length; length++) {
      let out: Uint8Array | undefined;
      try {
        out = codec(kind, name).decompress(packed.subarray(0, length), MIB);
      } catch {
        continue;
      }
      // A framing that is cut between two blocks is a shorter stream.
      expect(Buffer.compare(out, whole.subarray(0, out.length))).toBe(0);
    }
  });
});

const content = fc.oneof(
  fc.uint8Array({ maxLength: 70_000 }),
  // Runs and repetitions of every period, across the borders of blocks.
  fc
    .record({
      unit: fc.uint8Array({ minLength: 1, maxLength: 80 }),
      length: fc.integer({ min: 0, max: 200_000 }),
    })
    .map(({ unit, length }) => Uint8Array.from({ length }, (_, i) => unit[i % unit.length] as number)),
  fc
    .array(fc.constantFrom('spool ', 'thread ', 'Odradek ', '0', '\n'), { maxLength: 4_000 })
    .map((words) => utf8(words.join(''))),
);

test.each(names)('%s: what one implementation writes, the other reads', (name) => {
  fc.assert(
    fc.property(content, (bytes) => {
      for (const writer of kinds) {
        const packed = codec(writer, name).compress(bytes);
        for (const reader of kinds) {
          expect(Buffer.compare(codec(reader, name).decompress(packed, bytes.length), bytes)).toBe(0);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test.each(['gzip', 'zstd'] as const)('%s: a higher level packs tighter', (name) => {
  // Words drawn from a small vocabulary: something that a patient search is rewarded for.
  let draw = 1;
  const word = () => {
    draw = (Math.imul(draw, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return ((draw >>> 8) % 3_000).toString(36);
  };
  const bytes = utf8(Array.from({ length: 30_000 }, word).join(' '));
  for (const kind of kinds) {
    const [fast, best] = [codec(kind, name).compress(bytes, 1), codec(kind, name).compress(bytes, 9)];
    expect(best.length).toBeLessThan(fast.length);
    expect(Buffer.compare(codec(kind, name).decompress(best, bytes.length), bytes)).toBe(0);
  }
});

test('Node.js has a native zstd exactly since 22.15', async () => {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const expected = major > 23 || (major === 23 && minor >= 8) || (major === 22 && minor >= 15);
  expect((await nativeZstd()) !== undefined).toBe(expected);
});

test('an unknown codec, and one that cannot be loaded, are told apart from damage', async () => {
  await expect(loadCodec(7)).rejects.toMatchObject({ code: 'UNSUPPORTED_COMPRESSION_TYPE' });
});

afterAll(async () => {
  for (const name of names) setCodec(COMPRESSION[name], codec('native', name));
});
