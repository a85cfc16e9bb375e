import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readUtf8, utf8Bytes, writeUtf8 } from '../../src/protocol/utf8.ts';
import {
  VarintReader,
  varintBytes,
  varlongBytes,
  writeVarint,
  writeVarlong,
} from '../../src/protocol/varint.ts';

/** The same encoding with BigInt: slow, and plain to see. */
function reference(value: number): number[] {
  let rest = value < 0 ? -2n * BigInt(value) - 1n : 2n * BigInt(value);
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

const steps = Array.from({ length: 54 }, (_, bit) => 2 ** bit).flatMap((step) => [
  step - 1,
  step,
  -step,
  -step - 1,
]);
const safe = fc.oneof(fc.maxSafeInteger(), fc.constantFrom(...steps.filter(Number.isSafeInteger)));

test('varlongs are zigzag, seven bits a byte', () => {
  fc.assert(
    fc.property(safe, (value) => {
      const bytes = new Uint8Array(10);
      const end = writeVarlong(bytes, 0, value);
      expect([...bytes.subarray(0, end)]).toEqual(reference(value));
      expect(varlongBytes(value)).toBe(end);
      const reader = new VarintReader(bytes, 0, end);
      expect(reader.varlong()).toBe(value);
      expect(reader.remaining).toBe(0);
    }),
    { numRuns: 1000 },
  );
});

test('varints are the same for 32 bits', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.integer(), fc.constantFrom(...steps.filter((step) => (step | 0) === step))),
      (value) => {
        const bytes = new Uint8Array(5);
        const end = writeVarint(bytes, 0, value);
        expect([...bytes.subarray(0, end)]).toEqual(reference(value));
        expect(varintBytes(value)).toBe(end);
        expect(new VarintReader(bytes, 0, end).varint()).toBe(value);
      },
    ),
  );
});

test('what is too long, too large or cut off is corrupt', () => {
  const endless = new Uint8Array(20).fill(0xff);
  const corrupt = expect.objectContaining({ name: 'RecordBatchError', code: 'corrupt' });
  expect(() => new VarintReader(endless, 0, 20).varint()).toThrow(corrupt);
  expect(() => new VarintReader(endless, 0, 20).varlong()).toThrow(corrupt);
  expect(() => new VarintReader(endless, 0, 3).varint()).toThrow(corrupt);
  const int64Max = Uint8Array.of(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01);
  expect(() => new VarintReader(int64Max, 0, 10).varlong()).toThrow('beyond 2^53');
});

test('texts are UTF-8, byte for byte', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: 'grapheme' }),
    fc.string(),
  );
  fc.assert(
    fc.property(fc.oneof(text, fc.constantFrom('\ud800', 'x\udc00\ud800y', '\ufeffmark')), (value) => {
      const expected = new TextEncoder().encode(value);
      expect(utf8Bytes(value)).toBe(expected.length);
      const bytes = new Uint8Array(expected.length + 2);
      expect(writeUtf8(bytes, 1, value)).toBe(expected.length + 1);
      expect(bytes.subarray(1, -1)).toEqual(expected);
      expect(readUtf8(expected)).toBe(Buffer.from(value).toString());
    }),
  );
});
