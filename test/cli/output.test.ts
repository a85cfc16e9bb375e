import { expect, test } from 'vitest';
import { table } from '../../src/cli/output.ts';

test('columns are aligned, numbers to the right, what is missing is a dash', () => {
  expect(
    table(
      ['topic', 'lag', 'mean'],
      [
        ['a', 5, '1.5'],
        ['longer', 1000, null],
      ],
    ),
  ).toBe(['topic    lag  mean', 'a          5   1.5', 'longer  1000     -'].join('\n'));
});

test('an empty table is its titles', () => {
  expect(table(['a', 'b'], [])).toBe('a  b');
});
