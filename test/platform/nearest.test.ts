import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearest } from '../../src/platform/nearest.ts';

test('the nearest word is the one with the fewest slips', () => {
  const known = ['port', 'host', 'logLevel', 'limits.connectionsMax'];
  expect(nearest('prot', known)).toBe('port');
  expect(nearest('LOG_LEVEL', known)).toBe('logLevel');
  expect(nearest('connectionMax', known)).toBe('limits.connectionsMax');
  expect(nearest('x', [])).toBeUndefined();
  expect(nearest('', known)).toBe('port');
});

test('a known word is nearest to itself, and one slip away it still is', () => {
  const known = ['alphabet', 'numerals', 'whitespaces'];
  fc.assert(
    fc.property(fc.constantFrom(...known), fc.nat(7), fc.constantFrom('', 'x', 'yy'), (word, at, slip) => {
      expect(nearest(word.slice(0, at) + slip + word.slice(at + 1), known)).toBe(word);
    }),
  );
});

test('however long a word is, it takes no time', () => {
  expect(nearest(`port${'x'.repeat(1e7)}`, ['port', 'x'.repeat(100)])).toBeDefined();
});
