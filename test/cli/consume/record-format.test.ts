import { expect, test } from 'vitest';
import { rowsOf } from '../../../src/cli/consume/record-format.ts';

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
