import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Damage, findValidBatch, judgeDamage, scanBatches } from '../../src/log/batch-scan.ts';
import { stampBatch } from '../../src/protocol/record-batch.ts';
import { batch } from './support.ts';

function batches(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = batch([`value ${i}`]);
    stampBatch(bytes, 0, 10 + i, 1);
    return bytes;
  });
}

describe('a scan', () => {
  test('stops at the first batch that is partial, damaged or out of sequence', () => {
    const [a, b, c] = batches(3) as [Uint8Array, Uint8Array, Uint8Array];
    const seen: number[] = [];
    const scan = (bytes: Uint8Array, offset = 10) => {
      seen.length = 0;
      return scanBatches(bytes, offset, (header) => seen.push(header.baseOffset));
    };
    expect(scan(Buffer.concat([a, b, c.subarray(0, 70)]))).toMatchObject({
      stop: 'more',
      nextOffset: 12,
      neededBytes: c.length,
    });
    expect(seen).toEqual([10, 11]);
    expect(scan(Buffer.concat([a, c]))).toMatchObject({
      stop: 'broken',
      nextOffset: 11,
      consumedBytes: a.length,
    });
    expect(scan(a, 9)).toMatchObject({ stop: 'broken', consumedBytes: 0 });
  });

  test('and the search for a later batch never throw, whatever the bytes', () => {
    const [a] = batches(1) as [Uint8Array];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(100), fc.boolean(), (noise, at, hasBatch) => {
        const bytes = hasBatch ? Buffer.concat([noise, a, noise]) : noise;
        const { consumedBytes } = scanBatches(bytes, at, () => {});
        expect(consumedBytes).toBeLessThanOrEqual(bytes.length);
        const found = findValidBatch(bytes, 0, 9);
        if (hasBatch) expect(found).toBe(noise.length);
        expect(findValidBatch(bytes, 0, 10)).toBe(-1);
      }),
    );
  });
});

describe('damage', () => {
  const none: Damage = {
    offset: 50,
    recoveryPoint: 50,
    validBehind: false,
    unwrittenSector: false,
    isCutShort: false,
    pageCacheLost: true,
    flush: 'sync',
  };
  test.each<[string, Partial<Damage>, 'torn' | 'corrupt']>([
    ['at the very end', {}, 'torn'],
    ['at the very end, cut short', { pageCacheLost: false, isCutShort: true }, 'torn'],
    ['at the very end, whole, and the power never failed', { pageCacheLost: false }, 'corrupt'],
    ['below the synced checkpoint', { recoveryPoint: 51 }, 'corrupt'],
    ['below it, whatever else', { recoveryPoint: 51, unwrittenSector: true, flush: 'os' }, 'corrupt'],
    ['before a valid batch', { validBehind: true }, 'corrupt'],
    ['before a valid batch, a sector missing', { validBehind: true, unwrittenSector: true }, 'torn'],
    [
      'the same, but the power never failed',
      { validBehind: true, unwrittenSector: true, pageCacheLost: false },
      'corrupt',
    ],
    ['before a valid batch, unsynced by config', { validBehind: true, flush: 'os' }, 'torn'],
    [
      'the same, but the power never failed',
      { validBehind: true, flush: 'os', pageCacheLost: false },
      'corrupt',
    ],
  ])('%s', (_, changes, verdict) => {
    expect(judgeDamage({ ...none, ...changes }).verdict).toBe(verdict);
  });
});
