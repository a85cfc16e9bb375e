import { expect, test } from 'vitest';
import { type GrepPlace, recordFilter } from '../../../src/cli/consume/record-filter.ts';

const record = {
  topic: 't',
  partition: 0,
  offset: 0,
  timestamp: 0,
  key: Buffer.from('ATL'),
  value: Buffer.from('{"delay":12}'),
  headers: [{ key: 'source', value: Buffer.from('faa') }],
  leaderEpoch: 0,
};
const finds = (pattern: string, ...places: GrepPlace[]) =>
  recordFilter(pattern, places.length > 0 ? places : undefined)(record);

test('a text is found in key, value and headers, or where it is asked for', () => {
  expect(['ATL', 'delay":1', 'source=faa', 'atl', 'A.L'].map((text) => finds(text))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  expect([finds('ATL', 'value'), finds('ATL', 'value', 'key'), finds('faa', 'headers')]).toEqual([
    false,
    true,
    true,
  ]);
  expect(recordFilter('x')({ ...record, key: null, value: null })).toBe(false);
});

test('a regular expression stands between slashes, with its flags', () => {
  expect([finds('/^atl$/i', 'key'), finds('/^atl$/', 'key'), finds('/"delay":1\\d}/')]).toEqual([
    true,
    false,
    true,
  ]);
  const filter = recordFilter('/A/g', ['key']);
  expect([filter(record), filter(record)]).toEqual([true, true]);
  expect(() => recordFilter('/(/')).toThrow('--grep');
});
