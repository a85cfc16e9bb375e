import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeEpochs, encodeEpochs } from '../../src/log/checkpoint-format.ts';
import { LeaderEpochs } from '../../src/log/leader-epochs.ts';

describe('the leader-epoch cache', () => {
  const cache = () =>
    new LeaderEpochs([
      { epoch: 2, startOffset: 5 },
      { epoch: 4, startOffset: 10 },
      { epoch: 5, startOffset: 12 },
    ]);

  test.each([
    ['the newest epoch ends at the log end', 5, { epoch: 5, endOffset: 20 }],
    ['an epoch ends where the next begins', 2, { epoch: 2, endOffset: 10 }],
    ['an epoch without records answers with the one before it (KIP-279)', 3, { epoch: 2, endOffset: 10 }],
    ['one before the first ends where the first begins', 1, { epoch: 1, endOffset: 5 }],
    ['one that is newer than any is unknown', 6, { epoch: -1, endOffset: -1 }],
    ['an undefined one is unknown', -1, { epoch: -1, endOffset: -1 }],
  ])('%s', (_, epoch, expected) => {
    expect(cache().endOffsetFor(epoch, 20)).toEqual(expected);
  });

  test('an empty cache knows nothing', () => {
    expect(new LeaderEpochs().endOffsetFor(0, 0)).toEqual({ epoch: -1, endOffset: -1 });
    expect(new LeaderEpochs().latest).toBe(-1);
  });

  test('an epoch that ended without a record is replaced by its successor', () => {
    const epochs = cache();
    expect(epochs.assign(7, 20)).toBe(true);
    expect(epochs.assign(8, 20)).toBe(true);
    expect(epochs.assign(8, 25)).toBe(false);
    expect(epochs.entries.at(-1)).toEqual({ epoch: 8, startOffset: 20 });
    expect(epochs.entries).toHaveLength(4);
  });

  test('truncation forgets from either side', () => {
    const epochs = cache();
    expect(epochs.truncateFromEnd(12)).toBe(true);
    expect(epochs.latest).toBe(4);
    expect(epochs.truncateFromStart(7)).toBe(true);
    expect(epochs.entries[0]).toEqual({ epoch: 2, startOffset: 7 });
    expect(epochs.truncateFromStart(10)).toBe(true);
    expect(epochs.entries).toEqual([{ epoch: 4, startOffset: 10 }]);
  });

  test('agrees with a list of the epoch of every offset', () => {
    const runs = fc.array(fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(runs, fc.integer({ min: 0, max: 30 }), (steps, asked) => {
        const epochs = new LeaderEpochs();
        const epochOf: number[] = [];
        let epoch = 0;
        for (const [gap, count] of steps) {
          epoch += gap;
          for (let i = 0; i < count; i++) {
            epochs.assign(epoch, epochOf.length);
            epochOf.push(epoch);
          }
        }
        const end = epochs.endOffsetFor(asked, epochOf.length);
        if (asked > epoch) {
          expect(end.endOffset).toBe(-1);
          return;
        }
        const first = epochOf.findIndex((value) => value > asked);
        expect(end.endOffset).toBe(first < 0 ? epochOf.length : first);
        expect(end.epoch).toBe(epochOf.findLast((value) => value <= asked) ?? asked);
        epochOf.forEach((value, offset) => {
          expect(epochs.epochAt(offset)).toBe(value);
        });
        expect(decodeEpochs(encodeEpochs(epochs.entries))).toEqual(epochs.entries);
      }),
    );
  });
});
