import { expect, test } from 'vitest';
import { lineParser } from '../../../src/cli/produce/line-parser.ts';

const show = (options: Parameters<typeof lineParser>[0], line: string) => {
  const { key, value } = lineParser(options)(Buffer.from(line), 7);
  const text = (part: Uint8Array | string | null) =>
    part === null || typeof part === 'string' ? part : Buffer.from(part).toString();
  return [text(key), text(value)];
};

test('the whole line is the value', () => {
  expect(show({}, 'a:b')).toEqual([null, 'a:b']);
});

test('a key before the first separator', () => {
  expect(show({ keySeparator: ':' }, 'a:b:c')).toEqual(['a', 'b:c']);
  expect(show({ keySeparator: '=>' }, 'é=>')).toEqual(['é', '']);
  expect(() => show({ keySeparator: ':' }, 'abc')).toThrow('line 7 has no key separator ":"');
});

test('a key out of a field; the line stays as it is', () => {
  const line = '{"origin": "ATL", "n": 5, "x": null}';
  expect(show({ keyField: 'origin' }, line)).toEqual(['ATL', line]);
  expect(show({ keyField: 'n' }, line)).toEqual(['5', line]);
  expect(() => show({ keyField: 'z' }, line)).toThrow('line 7 has no field "z"');
  expect(() => show({ keyField: 'toString' }, line)).toThrow('line 7 has no field');
  expect(() => show({ keyField: 'z' }, 'plain')).toThrow('line 7 is not JSON');
  expect(() => show({ keyField: 'z' }, '[1]')).toThrow('line 7 has no field');
});

test('one way to find a key at a time', () => {
  expect(() => lineParser({ keySeparator: ':', keyField: 'f' })).toThrow('exclude each other');
  expect(() => lineParser({ keySeparator: '' })).toThrow('empty');
  expect(() => lineParser({ keyField: '' })).toThrow('empty');
});
