import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { murmur2, partitionOfKey } from '../../src/client/murmur2.ts';

interface Golden {
  readonly partitionCounts: readonly number[];
  readonly vectors: readonly {
    readonly key: string;
    readonly murmur2: number;
    readonly partitions: readonly number[];
  }[];
}

/** Captured from the Java client. */
const golden: Golden = JSON.parse(readFileSync(new URL('golden/murmur2.json', import.meta.url), 'utf8'));

const bytes = (text: string) => new TextEncoder().encode(text);
const fromHex = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));

describe('murmur2', () => {
  // From Kafka's own UtilsTest.testMurmur2.
  test.each([
    ['21', -973932308],
    ['foobar', -790332482],
    ['a-little-bit-long-string', -985981536],
    ['a-little-bit-longer-string', -1486304829],
    ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ])('hashes %s as Java does', (text, hash) => {
    expect(murmur2(bytes(text))).toBe(hash);
  });

  test('hashes and partitions every golden key as the Java client does', () => {
    expect(golden.vectors.length).toBeGreaterThan(10);
    for (const { key, murmur2: hash, partitions } of golden.vectors) {
      expect(murmur2(fromHex(key)), key).toBe(hash);
      expect(
        golden.partitionCounts.map((count) => partitionOfKey(fromHex(key), count)),
        key,
      ).toEqual(partitions);
    }
  });
});
