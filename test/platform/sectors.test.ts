import { expect, test } from 'vitest';
import { hasUnwrittenSector } from '../../src/platform/sectors.ts';

test('a sector that was never written is all zeros, and whole', () => {
  const bytes = new Uint8Array(2048).fill(7);
  expect(hasUnwrittenSector(bytes, 100)).toBe(false);
  bytes.fill(0, 500, 900);
  expect(hasUnwrittenSector(bytes, 0)).toBe(false);
  bytes.fill(0, 512, 1024);
  expect(hasUnwrittenSector(bytes, 0)).toBe(true);
  expect(hasUnwrittenSector(bytes, 300)).toBe(false);
  expect(hasUnwrittenSector(bytes.subarray(600), 600)).toBe(true);
  expect(hasUnwrittenSector(bytes.subarray(600, 1000), 600)).toBe(false);
});
