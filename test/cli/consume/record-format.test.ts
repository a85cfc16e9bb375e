import { expect, test } from 'vitest';
import { parseFormat } from '../../../src/cli/consume/record-format.ts';

const rowsOf = (records: Parameters<ReturnType<typeof parseFormat>>[0], format: string) =>
  parseFormat(format)(records);
const bytes = (...values: number[]) => Uint8Array.from(values);
const record = (
  key: Uint8Array | null,
  value: Uint8Array | null,
  headers: { key: string; value: Uint8Array | null }[] = [],
) => ({
  topic: 't',
  partition: 2,
  offset: 7,
  timestamp: 1000,
  key,
  value,
  headers,
  leaderEpoch: 0,
});

test('values are printed as they are, a line each; a tombstone is an empty line', () => {
  const rows = rowsOf(
    [record(null, Buffer.from('é')), record(null, null), record(null, bytes(0xff))],
    'value',
  );
  expect([...rows]).toEqual([0xc3, 0xa9, 10, 10, 0xff, 10]);
});

test('json rows carry everything; what is no text is in base64', () => {
  const rows = rowsOf(
    [
      record(Buffer.from('k'), bytes(0xff), [
        { key: 'h', value: Buffer.from('v') },
        { key: 'n', value: null },
      ]),
    ],
    'json',
  );
  expect(rows.toString().endsWith('\n')).toBe(true);
  expect(JSON.parse(rows.toString())).toEqual({
    topic: 't',
    partition: 2,
    offset: 7,
    timestamp: 1000,
    key: 'k',
    value: { base64: '/w==' },
    headers: [
      { key: 'h', value: 'v' },
      { key: 'n', value: null },
    ],
  });
});

test('a format string: tokens, escapes, and nothing added', () => {
  const one = record(Buffer.from('k'), Buffer.from('é%'), [
    { key: 'h', value: Buffer.from('v') },
    { key: 'n', value: null },
  ]);
  const shown = (format: string) => rowsOf([one], format).toString();
  expect(shown('%t %p %o %k %v\\n')).toBe('t 2 7 k é%\n');
  expect(shown('%s|%h|%T|%K|%S|%%\\t\\x41\\\\')).toBe('é%|h=v,n|1000|1|3|%\tA\\');
  expect(rowsOf([record(null, null)], '[%k][%v]%K,%S;').toString()).toBe('[][]-1,-1;');
  expect([...rowsOf([record(bytes(0xff), bytes(0, 0x80))], '%k\\xfe%v')]).toEqual([0xff, 0xfe, 0, 0x80]);
});

test('an unknown token names those there are; so does an unknown escape or format', () => {
  expect(() => parseFormat('%k %z')).toThrow('there is no %z; there are %t topic');
  expect(() => parseFormat('%k%')).toThrow('there is no %;');
  expect(() => parseFormat('%k\\q')).toThrow('there is no \\q; there are \\n');
  expect(() => parseFormat('%k\\x4')).toThrow('there is no \\x');
  expect(() => parseFormat('xml')).toThrow('--format is value, json or a format string');
});
