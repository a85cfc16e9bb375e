import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../../chaos/checker/checker.ts';
import type {
  Anomaly,
  DescribedTopic,
  NodeLog,
  Operation,
  Ownership,
  Poll,
  Send,
} from '../../../chaos/checker/history.ts';
import { validHistory } from './valid-history.ts';

/** Makes something of a correct history that no correct system shows; nothing where there is no place for it. */
type Mutation = (history: readonly Operation[], pick: number) => Operation[] | undefined;

const LATER = 1_000_000;

const finals = (history: readonly Operation[]): Poll[] =>
  history.filter((each) => each.type === 'poll' && each.isFinal === true) as Poll[];
const sent = (history: readonly Operation[]): (Send & { readonly offset: number })[] =>
  history.filter((each) => each.type === 'send' && each.offset !== undefined) as never;
const startOf = (history: readonly Operation[], partition: string): number =>
  Math.max(
    0,
    ...history.map((each) => (each.type === 'logStart' && each.partition === partition ? each.offset : 0)),
  );
const one = <T>(list: readonly T[], pick: number): T | undefined => list[pick % list.length];

const replaced = <T extends Operation>(
  history: readonly Operation[],
  old: T | undefined,
  by: (old: T) => T,
) => old && history.map((each) => (each === old ? by(old) : each));

/** Changes what one of the final polls with at least `least` records showed. */
const inPoll =
  (least: number, change: (records: Poll['records'], pick: number) => Poll['records']): Mutation =>
  (history, pick) => {
    const poll = one(
      finals(history).filter(({ records }) => records.length >= least),
      pick,
    );
    return replaced(history, poll, (old) => ({ ...old, records: change(old.records, pick) }));
  };

/** Changes the log of a node that has at least `least` records, all of which others must have as well. */
const inLog =
  (least: number, change: (log: NodeLog, pick: number) => NodeLog): Mutation =>
  (history, pick) => {
    const logs = history.filter(
      (each) =>
        each.type === 'nodeLog' &&
        each.records.length >= least &&
        (each.records[0]?.offset ?? 0) >= startOf(history, each.partition),
    );
    return replaced(history, one(logs as NodeLog[], pick), (old) => change(old, pick));
  };

/** A new owner that gets the record number `first`, although number 1 of those that are left was committed. */
const newOwner =
  (first: number): Mutation =>
  (history, pick) => {
    const poll = one(
      finals(history).filter(({ records }) => records.length >= 3),
      pick,
    );
    const [partition, offset, read] = [
      poll?.records[1]?.partition,
      poll?.records[1]?.offset,
      poll?.records[first],
    ];
    if (partition === undefined || offset === undefined || !read) return undefined;
    const common = { group: 'g', member: 'z', partition };
    const times = { startedAt: LATER, endedAt: LATER };
    return [
      ...history,
      { type: 'commit', ...common, offset, outcome: 'ok', ...times },
      { type: 'assigned', group: 'g', member: 'z', partitions: [partition], at: LATER + 1 },
      { type: 'poll', reader: 'z', records: [read] },
    ];
  };

const middle = (length: number, pick: number) => 1 + (pick % (length - 2));

const MUTATIONS: readonly (readonly [Anomaly['rule'], string, Mutation])[] = [
  [
    'inconsistent offsets',
    'a reader sees another value',
    inPoll(1, (records, pick) =>
      records.map((record, index) =>
        index === pick % records.length ? { ...record, value: 'other' } : record,
      ),
    ),
  ],
  [
    'inconsistent offsets',
    'a node holds another value',
    inLog(1, (log) => ({ ...log, records: log.records.map((record) => ({ ...record, value: 'other' })) })),
  ],
  [
    'duplicate',
    'a value is there twice',
    inPoll(1, (records) => [
      ...records,
      ...records.slice(0, 1).map((record) => ({ ...record, offset: LATER })),
    ]),
  ],
  [
    'lost write',
    'nobody reads what was acknowledged',
    (history, pick) => {
      const kept = new Set(
        finals(history).flatMap(({ records }) => records.slice(0, -1).map(({ value }) => value)),
      );
      const lost = one(
        sent(history).filter(({ value }) => kept.has(value)),
        pick,
      );
      return (
        lost &&
        history.map((each) =>
          each.type === 'poll'
            ? { ...each, records: each.records.filter(({ value }) => value !== lost.value) }
            : each,
        )
      );
    },
  ],
  [
    'failed write seen',
    'what was read is said to have failed',
    (history, pick) => {
      const read = new Set(finals(history).flatMap(({ records }) => records.map(({ value }) => value)));
      const failed = one(
        sent(history).filter(({ value }) => read.has(value)),
        pick,
      );
      return replaced(history, failed as Send | undefined, ({ offset: _, ...old }) => ({
        ...old,
        outcome: 'failed',
      }));
    },
  ],
  [
    'poll skip',
    'within a poll',
    inPoll(3, (records, pick) => records.toSpliced(middle(records.length, pick), 1)),
  ],
  [
    'poll skip',
    'from one poll to the next',
    (history) => {
      const [, second] = finals(history);
      return second && second.records.length > 1
        ? replaced(history, second, (old) => ({ ...old, records: old.records.slice(1) }))
        : undefined;
    },
  ],
  [
    'non-monotonic poll',
    'two neighbours are swapped',
    inPoll(2, ([first, second, ...rest]) => [second, first, ...rest].filter((each) => each !== undefined)),
  ],
  [
    'non-monotonic poll',
    'a poll is repeated',
    (history, pick) => {
      const poll = one(
        finals(history).filter(({ records }) => records.length > 0),
        pick,
      );
      return poll && history.flatMap((each) => (each === poll ? [each, each] : [each]));
    },
  ],
  [
    'non-monotonic send',
    'sends went the other way round',
    (history, pick) => {
      const first = one(sent(history), pick);
      const second = sent(history).find(
        ({ process, partition, offset }) =>
          process === first?.process && partition === first.partition && offset > first.offset,
      );
      if (!first || !second) return undefined;
      return history.map((each) => {
        if (each === first) return { ...first, sequence: second.sequence };
        return each === second ? { ...second, sequence: first.sequence } : each;
      });
    },
  ],
  [
    'unseen',
    'a final reader misses the last one',
    (history) => {
      const isAcknowledged = new Set(sent(history).map(({ value }) => value));
      const poll = finals(history).findLast(({ records }) => isAcknowledged.has(records.at(-1)?.value ?? ''));
      return replaced(history, poll, (old) => ({ ...old, records: old.records.slice(0, -1) }));
    },
  ],
  [
    'committed offset goes back',
    'a commit below another one',
    (history) => {
      const commit = history.findLast(
        (each) => each.type === 'commit' && each.outcome === 'ok' && !each.isReset && each.offset > 0,
      );
      if (commit?.type !== 'commit') return undefined;
      return [...history, { ...commit, offset: commit.offset - 1, startedAt: LATER, endedAt: LATER }];
    },
  ],
  ['owner starts elsewhere', 'before the commit', newOwner(0)],
  ['owner starts elsewhere', 'past the commit', newOwner(2)],
  [
    'two owners',
    'another one gets what is held, to the end',
    (history) => {
      const held = history.findLast((each) => each.type === 'assigned') as Ownership | undefined;
      return held && [...history, { ...held, member: 'z', generation: LATER }];
    },
  ],
  [
    'two owners',
    'in one generation, although the first gives it up',
    (history) => {
      const held = history.findLast((each) => each.type === 'assigned') as Ownership | undefined;
      return held && [...history, { ...held, type: 'revoked' }, { ...held, member: 'z' }];
    },
  ],
  ['prefix loss', 'a node lacks the first', inLog(1, (log) => ({ ...log, records: log.records.slice(1) }))],
  [
    'prefix loss',
    'a node begins later than it may',
    (history, pick) => {
      const logs = history.filter((each) => each.type === 'nodeLog') as NodeLog[];
      const log = one(
        logs.filter(
          ({ partition, records }) => (records.at(-1)?.offset ?? -1) >= startOf(history, partition),
        ),
        pick,
      );
      return replaced(history, log, (old) => ({ ...old, startOffset: old.highWatermark, records: [] }));
    },
  ],
  [
    'middle loss',
    'a node lacks one within',
    inLog(3, (log, pick) => ({
      ...log,
      records: log.records.toSpliced(middle(log.records.length, pick), 1),
    })),
  ],
  [
    'suffix loss',
    'a node lacks the last',
    inLog(2, (log) => ({ ...log, records: log.records.slice(0, -1) })),
  ],
  [
    'suffix loss',
    'a node lacks what was acknowledged',
    (history, pick) => {
      const last = one(sent(history), pick);
      return last && [...history, { ...last, sequence: LATER, value: 'acknowledged', offset: LATER }];
    },
  ],
  [
    'log start beyond the high watermark',
    'of a node',
    inLog(0, (log) => ({ ...log, startOffset: log.highWatermark + 1 })),
  ],
  [
    'topics not linearizable',
    'a topic is there at the end, or is not',
    (history, pick) => {
      const isAnswered = ({ topic }: DescribedTopic) =>
        !history.some(
          (each) =>
            'topic' in each && each.topic === topic && 'outcome' in each && each.outcome === 'unknown',
        );
      const described = history.filter((each) => each.type === 'describedTopic' && each.isFinal === true);
      const chosen = one((described as DescribedTopic[]).filter(isAnswered), pick);
      if (!chosen) return undefined;
      const { topicId, ...rest } = chosen;
      return replaced(history, chosen as Operation, () => ({
        ...rest,
        ...(topicId === undefined ? { topicId: 'other' } : {}),
      }));
    },
  ],
  [
    'topics not linearizable',
    'made twice',
    (history) => {
      const topic = { process: 'z', topic: 'z', outcome: 'ok' } as const;
      const times = (startedAt: number) => ({ startedAt, endedAt: startedAt + 1 });
      return [
        ...history,
        { type: 'createTopic', ...topic, topicId: '1', ...times(1) },
        { type: 'createTopic', ...topic, topicId: '2', ...times(3) },
      ];
    },
  ],
  [
    'topic from nowhere',
    'nobody made it',
    (history) => [
      ...history,
      { type: 'describedTopic', process: 'z', topic: 'never', topicId: '1', startedAt: 0, endedAt: 1 },
    ],
  ],
  [
    'offsets not linearizable',
    'fetched, but never committed',
    (history, pick) => {
      const fetched = one(
        history.filter((each) => each.type === 'fetchedOffset'),
        pick,
      );
      return replaced(history, fetched as Operation, (old) => ({ ...old, offset: LATER }) as Operation);
    },
  ],
  [
    'offsets not linearizable',
    'an old one comes back',
    (history) => {
      const partition = 't-0';
      const set = {
        type: 'commit',
        group: 'solo',
        member: 'z',
        partition,
        outcome: 'ok',
        isReset: true,
      } as const;
      const times = (startedAt: number) => ({ startedAt, endedAt: startedAt + 1 });
      return [
        ...history,
        { ...set, offset: LATER, ...times(LATER) },
        { ...set, offset: 0, ...times(LATER + 2) },
        { type: 'fetchedOffset', group: 'solo', process: 'z', partition, offset: LATER, ...times(LATER + 4) },
      ];
    },
  ],
];

test('what a correct system does has no anomaly', () => {
  fc.assert(
    fc.property(validHistory, (history) => {
      expect(checkHistory(history)).toEqual([]);
    }),
    { numRuns: 400 },
  );
});

describe('a correct history is one no more, once', () => {
  test.each(MUTATIONS)('%s: %s', (rule, _, mutate) => {
    fc.assert(
      fc.property(validHistory, fc.nat(1000), (history, pick) => {
        const mutated = mutate(history, pick);
        fc.pre(mutated !== undefined);
        expect(new Set(checkHistory(mutated ?? []).map((anomaly) => anomaly.rule))).toContain(rule);
      }),
      { numRuns: 50 },
    );
  });
});
