import { expect, test } from 'vitest';
import { FlightFacts } from '../../../src/cli/demo/flight-facts.ts';
import { LogCheck } from '../../../src/cli/demo/log-check.ts';

const rows = ['ATL', 'ORD', 'ATL', 'LAX'].map((origin, n) => ({
  n,
  origin,
  destination: 'JFK',
  dateMs: 0,
  delay: n * 10,
  distance: 1,
}));
const facts = new FlightFacts();
for (const row of rows) facts.add(row);

/** Reads rows of the file in an order, each key in a partition of its own. */
function read(
  order: readonly number[],
  change: (row: (typeof rows)[number]) => object = () => ({}),
): string[] {
  const check = new LogCheck(facts);
  order.forEach((n, offset) => {
    const row = rows[n];
    if (row)
      check.add({ ...row, ...change(row) }, { partition: row.origin.charCodeAt(0), offset, key: row.origin });
  });
  return check.problems();
}

test('a log with every row once, each key in order, has no problem', () => {
  expect(read([0, 1, 2, 3])).toEqual([]);
  expect(read([3, 1, 0, 2])).toEqual([]);
});

test('each kind of problem is told', () => {
  expect(read([0, 1, 2])).toEqual(['1 rows are missing: 3']);
  expect(read([0, 1, 1, 2, 3]).join()).toContain('row 1 is there twice');
  expect(read([2, 1, 0, 3]).join()).toContain('row 0 of ATL comes after its row 2');
  expect(read([0, 1, 2, 3], ({ n }) => (n === 1 ? { delay: 99 } : {})).join()).toContain(
    'is not a row of the file',
  );
  expect(read([0, 1, 2, 3], ({ n }) => (n === 1 ? { origin: 'ATL' } : {})).join()).toContain('under key ORD');
});

test('a key in two partitions is told', () => {
  const check = new LogCheck(facts);
  for (const [index, row] of rows.entries()) check.add(row, { partition: index, offset: 0, key: row.origin });
  expect(check.problems()).toEqual(['partition 2 offset 0: ATL is in partition 0 too']);
});
