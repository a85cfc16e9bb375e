import fc from 'fast-check';
import * as full from 'msgpackr';
import { expect, test } from 'vitest';
import { skimMsgpack } from '../../src/protocol/msgpack-skim.ts';
import * as small from '../../src/protocol/msgpack-small.ts';

// What `msgpack.ts` asks of it.
const OPTIONS = { useRecords: false, moreTypes: false, int64AsType: 'number', copyBuffers: true } as const;
const theirs = { packr: new full.Packr(OPTIONS), unpackr: new full.Unpackr(OPTIONS) };
const ours = { packr: new small.Packr(), unpackr: new small.Unpackr() };
const plain = (bytes: Uint8Array) => new Uint8Array(bytes);

const edges = [
  0x1f,
  0x20,
  0x7f,
  0x80,
  0xff,
  0x100,
  0x7fff,
  0x8000,
  0xffff,
  0x1_0000,
  2 ** 31,
  2 ** 32,
  2 ** 53 - 1,
]
  .flatMap((edge) => [edge - 1, edge, -edge, -edge - 1])
  .filter(Number.isSafeInteger);
const lengths = [0, 1, 15, 16, 31, 32, 255, 256, 65_535, 65_536];

function check(value: unknown): void {
  const bytes = plain(ours.packr.pack(value, small.RESET_BUFFER_MODE));
  skimMsgpack(bytes);
  expect(ours.unpackr.unpack(bytes)).toEqual(value);
  expect(theirs.unpackr.unpack(plain(bytes))).toEqual(value);
  expect(ours.unpackr.unpack(plain(theirs.packr.pack(value)))).toEqual(value);
}

test.each(edges)('the number %d crosses both ways', (edge) => check([edge]));

test.each(lengths)('texts, bytes and arrays of length %d cross both ways', (length) => {
  check([
    'x'.repeat(length),
    'ä'.repeat(length),
    new Uint8Array(length).fill(7),
    new Array(length).fill(null),
  ]);
});

test('any tree of what messages hold crosses both ways, to msgpackr and from it', () => {
  const { tree } = fc.letrec((tie) => ({
    tree: fc.array(tie('any'), { maxLength: 40 }),
    any: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      fc.oneof(
        fc.constantFrom(null, true, false, ...edges),
        fc.maxSafeInteger(),
        fc.double({ noNaN: true }).filter((value) => !Object.is(value, -0)),
        fc.string({ unit: 'grapheme', maxLength: 300 }),
        fc.uint8Array({ maxLength: 300 }),
      ),
      tie('tree'),
    ),
  }));
  fc.assert(fc.property(tree, check));
});

test('the buffer may grow at any byte of a message', () => {
  const values = [true, 200, 70_000, -70_000, 0.5, 'text', new Uint8Array(3), [[1]], 'x'.repeat(300)];
  for (let length = 990; length < 1030; length++) {
    const value = ['y'.repeat(length), ...values];
    expect(theirs.unpackr.unpack(plain(new small.Packr().pack(value)))).toEqual(value);
  }
});

test('what is unpacked shares nothing with the message', () => {
  const bytes = plain(ours.packr.pack([new Uint8Array([1, 2, 3])]));
  const [inner] = ours.unpackr.unpack(bytes) as [Uint8Array];
  bytes.fill(0);
  expect(inner).toEqual(new Uint8Array([1, 2, 3]));
});

test('numbers in wider forms than needed are read as well', () => {
  const wide = new Uint8Array([
    0x95, 0xcf, 0, 0, 0, 1, 0, 0, 0, 2, 0xd3, 255, 255, 255, 255, 255, 255, 255, 255, 0xca, 0x3f, 0x80, 0, 0,
    0xd0, 0x80, 0xce, 0, 0, 0, 1,
  ]);
  skimMsgpack(wide);
  expect(ours.unpackr.unpack(wide)).toEqual([2 ** 32 + 2, -1, 1, -128, 1]);
});
