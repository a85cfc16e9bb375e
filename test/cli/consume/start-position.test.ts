import { expect, test } from 'vitest';
import { parseStart, type Start, StartOnce } from '../../../src/cli/consume/start-position.ts';

const starts = [
  { partition: 0, offset: 10 },
  { partition: 1, offset: 0 },
];
const ends = [{ offset: 20 }, { offset: 5 }];

function place(start: Start, ...turns: number[][]): string[] {
  const seeks: string[] = [];
  const consumer = {
    seek: ({ partition, offset }: { partition: number; offset: number }) =>
      void seeks.push(`${partition}@${offset}`),
  };
  const once = new StartOnce(consumer, start, starts, ends);
  for (const turn of turns) once.place(turn.map((partition) => ({ topic: 't', partition })));
  return seeks;
}

test('a start is one of three words or an offset', () => {
  expect(['earliest', 'latest', 'committed', '0', '42'].map(parseStart)).toEqual([
    'earliest',
    'latest',
    'committed',
    0,
    42,
  ]);
  for (const wrong of ['', 'Earliest', '-1', '1e3', '0x10', ' 1', 'end', '99999999999999999']) {
    expect(() => parseStart(wrong), wrong).toThrow('--from is earliest');
  }
});

test('every partition begins there, within what it holds', () => {
  expect(place('earliest', [0, 1])).toEqual(['0@10', '1@0']);
  expect(place('latest', [0, 1])).toEqual(['0@20', '1@5']);
  expect(place(12, [0, 1])).toEqual(['0@12', '1@5']);
  expect(place(3, [0, 1])).toEqual(['0@10', '1@3']);
  expect(place('committed', [0, 1])).toEqual([]);
});

test('a partition that comes back goes on where it was', () => {
  expect(place('earliest', [0], [1], [0])).toEqual(['0@10', '1@0']);
});

test('an offset that the one partition asked for does not hold is refused', () => {
  const consumer = { seek: () => {} };
  const at = (start: number) => () => new StartOnce(consumer, start, starts.slice(0, 1), ends.slice(0, 1));
  expect(at(10)).not.toThrow();
  expect(at(20)).not.toThrow();
  expect(at(9)).toThrow('holds 10 to 19');
  expect(at(21)).toThrow('partition 0 has no offset 21');
});
