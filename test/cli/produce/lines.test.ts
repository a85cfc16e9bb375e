import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesOf } from '../../../src/cli/produce/lines.ts';

async function* chunks(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  let from = 0;
  for (const end of [...ends, bytes.length]) {
    yield bytes.subarray(from, end);
    from = end;
  }
}

async function split(
  text: string,
  cuts: readonly number[] = [],
  lineBytesMax = 1000,
  delimiter?: string,
): Promise<string[]> {
  const lines: string[] = [];
  for await (const some of linesOf(
    chunks(Buffer.from(text), cuts),
    lineBytesMax,
    delimiter === undefined ? undefined : Buffer.from(delimiter),
  )) {
    lines.push(...some.map((line) => Buffer.from(line).toString()));
  }
  return lines;
}

test('wherever the input is cut, the lines are the same', async () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'é', ' ', '\t') });
  await fc.assert(
    fc.asyncProperty(
      fc.array(line),
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.nat()),
      async (lines, end, cuts) => {
        expect(await split(lines.map((each) => each + end).join(''), cuts)).toEqual(lines);
      },
    ),
  );
});

test('the last line may go without an end; empty lines count; no input is no line', async () => {
  expect(await split('a\n\nb')).toEqual(['a', '', 'b']);
  expect(await split('')).toEqual([]);
  expect(await split('\n')).toEqual(['']);
});

test('a line without an end in sight is refused by its number', async () => {
  await expect(split(`a\n${'x'.repeat(30)}`, [], 20)).rejects.toThrow('line 2 is longer than 20 bytes');
});

test('wherever the input is cut, another delimiter is found, of any length', async () => {
  const piece = fc.string({ unit: fc.constantFrom('a', '=', '\n', '\r') });
  await fc.assert(
    fc.asyncProperty(
      fc.array(piece),
      fc.constantFrom('\0', '==>', '\0\0'),
      fc.array(fc.nat()),
      async (pieces, delimiter, cuts) => {
        const text = pieces.map((each) => each + delimiter).join('');
        expect(await split(text, cuts, 1000, delimiter)).toEqual(text.split(delimiter).slice(0, -1));
      },
    ),
  );
  expect(await split('a==>b', [], 1000, '==>')).toEqual(['a', 'b']);
});
