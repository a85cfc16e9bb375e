import { crc32c as native } from '@node-rs/crc32';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { crc32c, crc32cJs, setCrc32c } from '../../src/protocol/crc32c.ts';

afterEach(() => setCrc32c(crc32cJs));

const ascending = Uint8Array.from({ length: 32 }, (_, i) => i);

// RFC 3720, appendix B.4, and the check value of the CRC catalogues.
test.each([
  ['nothing', new Uint8Array(0), 0],
  ['"123456789"', new TextEncoder().encode('123456789'), 0xe3069283],
  ['32 bytes of zeroes', new Uint8Array(32), 0x8a9136aa],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ['32 ascending bytes', ascending, 0x46dd794e],
  ['32 descending bytes', ascending.toReversed(), 0x113fdb5c],
])('%s', (_case, bytes, expected) => {
  expect(crc32c(bytes)).toBe(expected);
});

test('any range of any bytes has the checksum that the native implementation computes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), fc.nat(), (bytes, a, b) => {
      const start = a % (bytes.length + 1);
      const end = start + (b % (bytes.length - start + 1));
      expect(crc32c(bytes, start, end)).toBe(native(Buffer.from(bytes.subarray(start, end))));
    }),
  );
});

test('a native implementation can be installed', () => {
  setCrc32c((bytes, start, end) => bytes.length * 100 + start * 10 + end);
  expect(crc32c(new Uint8Array(5))).toBe(505);
  expect(crc32c(new Uint8Array(5), 1, 2)).toBe(512);
});
