import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkHistory } from '../../../chaos/checker/checker.ts';
import { CompactHistory } from '../../../chaos/checker/compact-history.ts';
import { addLargeHistory } from './large-history.ts';
import { validHistory } from './valid-history.ts';

test('gives back what it was given, at every walk', () => {
  fc.assert(
    fc.property(validHistory, (history) => {
      const compact = new CompactHistory();
      for (const operation of history) compact.add(operation);
      const expected = history.map((each) => {
        if (each.type === 'poll') return { ...each, isFinal: each.isFinal === true };
        if (each.type !== 'nodeLog') return each;
        return { ...each, records: each.records.map(({ offset, value }) => ({ offset, value })) };
      });
      expect(compact.length).toBe(history.length);
      expect([...compact]).toEqual(expected);
      expect([...compact]).toEqual(expected);
    }),
  );
});

test('a long history is checked in a time that grows with it, not with its square', () => {
  const compact = new CompactHistory();
  addLargeHistory(30_000, (operation) => compact.add(operation));
  expect(checkHistory(compact)).toEqual([]);
});
