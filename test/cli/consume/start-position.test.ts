import { expect, test } from 'vitest';
import {
  checkOffset,
  offsetsOf,
  type Place,
  parseEnd,
  parseStart,
  type Start,
  StartOnce,
} from '../../../src/cli/consume/start-position.ts';

const at = (partition: number, offset: number) => ({
  topic: 't',
  partition,
  offset,
  timestamp: -1,
  leaderEpoch: 0,
});
/** Partition 0 holds 10 to 19, partition 1 holds 0 to 4. */
const ends = { starts: [at(0, 10), at(1, 0)], ends: [at(0, 20), at(1, 5)] };
/** The first record at or after a time is at the time minus 1000; there is none in partition 1. */
const admin = {
  listOffsets: async (partitions: readonly { partition: number }[], spec: unknown) =>
    partitions.map(({ partition }) =>
      at(partition, partition === 1 ? -1 : (spec as { timestamp: number }).timestamp - 1000),
    ),
};
const offsets = async (place: Place) => [...(await offsetsOf(admin, place, ends))];

test('a start is one of three words, an offset, the last N or a time', () => {
  expect(['earliest', 'latest', 'committed', '0', '42', '-10', '@5', '@1970-01-02'].map(parseStart)).toEqual([
    'earliest',
    'latest',
    'committed',
    { offset: 0 },
    { offset: 42 },
    { last: 10 },
    { timestamp: 5 },
    { timestamp: 86_400_000 },
  ]);
  expect(parseStart('@2026-01-01T10:00')).toEqual({ timestamp: Date.UTC(2026, 0, 1, 10) });
  expect(parseStart('@2026-01-01T10:00:00.5+02:00')).toEqual({
    timestamp: Date.UTC(2026, 0, 1, 8, 0, 0, 500),
  });
  for (const wrong of [
    '',
    'Earliest',
    '-0',
    '-',
    '1e3',
    '0x10',
    ' 1',
    'end',
    '99999999999999999',
    '@',
    '@now',
  ]) {
    expect(() => parseStart(wrong), wrong).toThrow('--from is earliest');
  }
  for (const wrong of ['@2026-13-01', '@2026-01-01 10:00', '@-5']) {
    expect(() => parseStart(wrong), wrong).toThrow('--from is earliest');
  }
});

test('an end is an offset, a time or the latest', () => {
  expect(['latest', '7', '@9'].map(parseEnd)).toEqual(['latest', { offset: 7 }, { timestamp: 9 }]);
  for (const wrong of ['earliest', 'committed', '-1', '', '@']) {
    expect(() => parseEnd(wrong), wrong).toThrow('--to is latest');
  }
});

test('a place is within what every partition holds', async () => {
  expect(await offsets('earliest')).toEqual([
    [0, 10],
    [1, 0],
  ]);
  expect(await offsets('latest')).toEqual([
    [0, 20],
    [1, 5],
  ]);
  expect(await offsets({ offset: 12 })).toEqual([
    [0, 12],
    [1, 5],
  ]);
  expect(await offsets({ offset: 3 })).toEqual([
    [0, 10],
    [1, 3],
  ]);
  expect(await offsets({ last: 7 })).toEqual([
    [0, 13],
    [1, 0],
  ]);
  // No record of partition 1 is that young.
  expect(await offsets({ timestamp: 1015 })).toEqual([
    [0, 15],
    [1, 5],
  ]);
});

test('a consumer is placed once in each partition: one that comes back goes on where it was', () => {
  const seeks: string[] = [];
  const consumer = {
    seek: ({ partition, offset }: { partition: number; offset: number }) =>
      void seeks.push(`${partition}@${offset}`),
  };
  const once = new StartOnce(
    consumer,
    new Map([
      [0, 12],
      [1, 5],
    ]),
  );
  for (const turn of [[0], [1], [0], [2]]) once.place(turn.map((partition) => ({ topic: 't', partition })));
  expect(seeks).toEqual(['0@12', '1@5', '2@0']);
  new StartOnce(consumer, undefined).place([{ topic: 't', partition: 0 }]);
  expect(seeks).toHaveLength(3);
});

test('an offset that the one partition asked for does not hold is refused', () => {
  const one = { starts: ends.starts.slice(0, 1), ends: ends.ends.slice(0, 1) };
  const check = (start: Start) => () => checkOffset(start, one);
  for (const fine of [{ offset: 10 }, { offset: 20 }, { last: 99 }, 'earliest'] as const)
    expect(check(fine)).not.toThrow();
  expect(check({ offset: 9 })).toThrow('holds 10 to 19');
  expect(check({ offset: 21 })).toThrow('partition 0 has no offset 21');
  expect(() => checkOffset({ offset: 99 }, ends)).not.toThrow();
});
