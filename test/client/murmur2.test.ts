import { describe, expect, test } from 'vitest';
import { murmur2, partitionOfKey } from '../../src/client/murmur2.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

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

  test('hashes bytes beyond ASCII as Java does', () => {
    expect(murmur2(new Uint8Array([97, 98, 99]))).toBe(479470107);
  });

  test('a partition is never negative', () => {
    for (let i = 0; i < 1000; i++) {
      const partition = partitionOfKey(bytes(`key-${i}`), 7);
      expect(partition).toBeGreaterThanOrEqual(0);
      expect(partition).toBeLessThan(7);
    }
  });
});
