import { expect, test } from 'vitest';
import { lineParser } from '../../../src/cli/produce/line-parser.ts';

const show = (options: Parameters<typeof lineParser>[0], line: string) => {
  const { key, value } = lineParser(options)(Buffer.from(line), 7);
  const text = (part: Uint8Array | string | null) =>
    part === null || typeof part === 'string' ? part : Buffer.from(part).toString();
  return [text(key), text(value)];
};

/** Headers as text, too. */
const whole = (options: Parameters<typeof lineParser>[0], line: string) => {
  const { headers = [], ...record } = lineParser(options)(Buffer.from(line), 7);
  const text = (part: Uint8Array | string | null) => (part === null ? null : Buffer.from(part).toString());
  const shown = headers.map(({ key, value }) => [key, text(value)]);
  return { ...record, key: text(record.key), value: text(record.value), headers: shown };
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

test('headers before a separator, and headers for every record', () => {
  const options = { headerSeparator: '\\t', keySeparator: '\\t', header: ['all=1'] };
  expect(whole(options, 'a=b,c\tk\tv\tw')).toEqual({
    key: 'k',
    value: 'v\tw',
    headers: [
      ['a', 'b'],
      ['c', null],
      ['all', '1'],
    ],
  });
  expect(whole(options, '\tk\tv').headers).toEqual([['all', '1']]);
  expect(() => whole(options, 'none')).toThrow('line 7 has no header separator');
  expect(() => lineParser({ headerSeparator: '\\q' })({} as Uint8Array, 1)).toThrow('there is no \\q');
});

test('digits that stand for bytes', () => {
  expect(whole({ encoding: 'hex', keySeparator: ':' }, '6b:7621')).toMatchObject({ key: 'k', value: 'v!' });
  expect(whole({ encoding: 'base64' }, 'w6k=')).toMatchObject({ value: 'é' });
  expect(() => whole({ encoding: 'hex' }, '6')).toThrow('line 7 is not hex: 6');
  expect(() => whole({ encoding: 'base64' }, 'a b')).toThrow('line 7 is not base64');
});

test('JSON rows as consume prints them', () => {
  const row = {
    ...{ topic: 'x', partition: 3, offset: 9, timestamp: 5, key: { base64: '/w==' }, value: 'v' },
    headers: [{ key: 'h', value: 'w' }],
  };
  const parse = lineParser({ input: 'json' });
  expect(parse(Buffer.from(JSON.stringify(row)), 1)).toEqual({
    key: Buffer.from([0xff]),
    value: Buffer.from('v'),
    headers: [{ key: 'h', value: Buffer.from('w') }],
    timestamp: 5,
  });
  const kept = lineParser({ input: 'json', keepPartitions: true });
  expect(kept(Buffer.from(JSON.stringify(row)), 1)).toMatchObject({ partition: 3 });
  expect(whole({ input: 'json' }, '{"value":null,"headers":{"a":"b"}}')).toEqual({
    key: null,
    value: null,
    headers: [['a', 'b']],
  });
  for (const [wrong, why] of [
    ['nonsense', 'line 7 is not JSON'],
    ['[1]', 'line 7 is no JSON object'],
    ['{"key":"k"}', 'line 7 has no "value"'],
    ['{"value":5}', 'line 7: "value" is neither'],
    ['{"value":{"base64":"!"}}', 'line 7: "value" is neither'],
    ['{"value":"","timestamp":"now"}', 'line 7: "timestamp" is no whole number'],
    ['{"value":"","headers":[{}]}', 'line 7: a header has no "key"'],
  ] as const) {
    expect(() => whole({ input: 'json' }, wrong), wrong).toThrow(why);
  }
});

test('options that contradict each other are refused', () => {
  expect(() => lineParser({ input: 'json', keySeparator: ':' })).toThrow('--key-separator is for lines');
  expect(() => lineParser({ input: 'whole', keyField: 'f' })).toThrow('--key-field is for lines');
  expect(() => lineParser({ keyField: 'f', encoding: 'hex' })).toThrow('--encoding is for');
  expect(() => lineParser({ keepPartitions: true })).toThrow('needs --input json');
});
