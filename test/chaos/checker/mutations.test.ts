import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkHistory } from '../../../chaos/checker/checker.ts';
import type { Anomaly, History, Operation, Poll, SeenRecord } from '../../../chaos/checker/history.ts';

/** A history of a correct system: records with gapping offsets, written by two producers and read by everybody. */
const valid = fc
  .record({
    gaps: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 20 }),
    writers: fc.infiniteStream(fc.constantFrom('p', 'q')),
    unknown: fc.infiniteStream(fc.integer({ min: 0, max: 4 })),
    pollSizes: fc.infiniteStream(fc.integer({ min: 1, max: 5 })),
  })
  .map(({ gaps, writers, unknown, pollSizes }): History => {
    let offset = -1;
    const records = gaps.map((gap, index): SeenRecord => {
      offset += gap;
      return { partition: 't-0', offset, value: `v${index}` };
    });
    const sends = records.map((record, sequence): Operation => {
      const { partition, value } = record;
      const send = { type: 'send', process: writers.next().value, sequence, partition, value } as const;
      return unknown.next().value === 0
        ? { ...send, outcome: 'unknown' }
        : { ...send, outcome: 'ok', offset: record.offset };
    });
    const polls = ['r', 'final'].flatMap((reader) => {
      const made: Poll[] = [];
      for (let start = 0; start < records.length; ) {
        const end = start + pollSizes.next().value;
        made.push({ type: 'poll', reader, isFinal: reader === 'final', records: records.slice(start, end) });
        start = end;
      }
      return made;
    });
    const logs = ['1', '2', '3'].map(
      (node): Operation => ({
        ...{ type: 'nodeLog', node, partition: 't-0', startOffset: 0, highWatermark: offset + 1, records },
      }),
    );
    return [...sends, ...polls, ...logs];
  });

type Mutation = (records: SeenRecord[]) => SeenRecord[];

/** Each takes the records that one reader saw, in order, and makes something of them that no correct system shows. */
const MUTATIONS: Record<string, { mutate: Mutation; rules: readonly Anomaly['rule'][] }> = {
  'drops one in the middle': { mutate: (seen) => seen.toSpliced(1, 1), rules: ['poll skip', 'unseen'] },
  'swaps two neighbours': {
    mutate: ([first, second, ...rest]) => [second, first, ...rest].filter((each) => each !== undefined),
    rules: ['non-monotonic poll'],
  },
  'repeats one': {
    mutate: ([first, ...rest]) => [first, first, ...rest].filter((each) => each !== undefined),
    rules: ['non-monotonic poll'],
  },
  'changes a value': {
    mutate: ([first, ...rest]) => (first ? [{ ...first, value: 'other' }, ...rest] : []),
    rules: ['inconsistent offsets'],
  },
  'shows one value twice': {
    mutate: (seen) => [...seen, { partition: 't-0', offset: 1000, value: 'v0' }],
    rules: ['duplicate'],
  },
};

test('valid histories pass', () => {
  fc.assert(
    fc.property(valid, (history) => {
      expect(checkHistory(history)).toEqual([]);
    }),
  );
});

test.each(Object.entries(MUTATIONS))('a valid history fails once a reader %s', (_, { mutate, rules }) => {
  fc.assert(
    fc.property(valid, (history) => {
      const isFinal = (each: Operation) => each.type === 'poll' && each.isFinal === true;
      const seen = history.flatMap((each) => (isFinal(each) ? (each as Poll).records : []));
      const mutated: Poll = { type: 'poll', reader: 'final', isFinal: true, records: mutate([...seen]) };
      const found = checkHistory([...history.filter((each) => !isFinal(each)), mutated]);
      expect(found.map(({ rule }) => rule)).toEqual(expect.arrayContaining(rules.slice(0, 1)));
    }),
  );
});
