import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fragmentsMax, mergeSmallParts } from '../../src/transport/ws-fragments.ts';

const part = fc
  .oneof(fc.integer({ min: 0, max: 5000 }), fc.integer({ min: 0, max: 100_000 }))
  .map((length) => new Uint8Array(length).fill(length));

test('merging keeps the bytes, copies no large part of a large message, and bounds the fragments', () => {
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const merged = mergeSmallParts(parts);
      const whole = Buffer.concat(parts);
      expect(Buffer.concat(merged).equals(whole)).toBe(true);
      expect(merged.length).toBeLessThanOrEqual(fragmentsMax(whole.length));
      if (whole.length > 16 * 1024) {
        const large = parts.filter(({ length }) => length >= 4096);
        expect(large.every((each) => merged.includes(each))).toBe(true);
      }
    }),
  );
});

test('an empty message is still one fragment', () => {
  expect(mergeSmallParts([]).length).toBe(1);
});
