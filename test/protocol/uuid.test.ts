import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUuid, uuidFrom, uuidFromBytes, uuidToBytes, ZERO_UUID } from '../../src/protocol/uuid.ts';

const sixteen = fc.uint8Array({ minLength: 16, maxLength: 16 });

test('16 bytes are 22 characters of base64url, and back', () => {
  fc.assert(
    fc.property(sixteen, (bytes) => {
      const uuid = uuidFromBytes(bytes);
      expect(uuid).toBe(Buffer.from(bytes).toString('base64url'));
      expect(isUuid(uuid)).toBe(true);
      expect(uuidToBytes(uuid)).toEqual(bytes);
    }),
  );
});

test('a fresh id is a version 4 uuid, starts with no dash, and leaves the random bytes alone', () => {
  fc.assert(
    fc.property(sixteen, (bytes) => {
      const before = bytes.slice();
      const uuid = uuidFrom(bytes);
      const made = uuidToBytes(uuid);
      expect(bytes).toEqual(before);
      expect(uuid).not.toMatch(/^-/);
      expect((made[6] ?? 0) >> 4).toBe(4);
      expect((made[8] ?? 0) >> 6).toBe(2);
      expect(uuidFrom(made)).toBe(uuid);
    }),
  );
  expect(uuidFrom(new Uint8Array(16).fill(0xfb))).not.toMatch(/^-/);
});

test('sixteen zero bytes are the zero id', () => {
  expect(uuidFromBytes(new Uint8Array(16))).toBe(ZERO_UUID);
});

test.each([
  '',
  'short',
  `${ZERO_UUID}A`,
  'AAAAAAAAAAAAAAAAAAAAA=',
  'AAAAAAAAAAAAAAAAAAAAA+',
  'AAAAAAAAAAAAAAAAAAAAAB',
  'ÄAAAAAAAAAAAAAAAAAAAAA',
])('%j is not an id', (text) => {
  expect(isUuid(text)).toBe(false);
  expect(() => uuidToBytes(text)).toThrow(RangeError);
});

test('other than 16 bytes make no id', () => {
  expect(() => uuidFromBytes(new Uint8Array(15))).toThrow(RangeError);
});
