import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../../chaos/checker/checker.ts';
import type { Anomaly, History, Operation } from '../../../chaos/checker/history.ts';

const send = (sequence: number, offset: number, value: string, process = 'p'): Operation => ({
  ...{ type: 'send', process, sequence, partition: 't-0', value, outcome: 'ok', offset },
});
const poll = (
  reader: string,
  records: readonly (readonly [number, string])[],
  isFinal = false,
): Operation => ({
  ...{ type: 'poll', reader, isFinal },
  records: records.map(([offset, value]) => ({ partition: 't-0', offset, value })),
});
const owns = (type: 'assigned' | 'revoked' | 'lost', member: string, at: number): Operation => ({
  ...{ type, group: 'g', member, partitions: ['t-0'], at },
});
const commit = (member: string, offset: number, startedAt: number, endedAt: number): Operation => ({
  ...{ type: 'commit', group: 'g', member, partition: 't-0', offset, outcome: 'ok', startedAt, endedAt },
});
const nodeLog = (node: string, offsets: readonly number[], highWatermark = 4): Operation => ({
  ...{ type: 'nodeLog', node, partition: 't-0', startOffset: 0, highWatermark },
  records: offsets.map((offset) => ({ offset, value: `v${offset}` })),
});
const ABCD = [
  [0, 'v0'],
  [1, 'v1'],
  [2, 'v2'],
  [3, 'v3'],
] as const;

/** One history per row of the table of anomalies, each as small as it gets. */
const BAD: readonly { readonly rule: Anomaly['rule']; readonly name?: string; readonly history: History }[] =
  [
    { rule: 'inconsistent offsets', history: [poll('r', [[0, 'a']]), poll('s', [[0, 'b']])] },
    {
      rule: 'inconsistent offsets',
      name: 'an acknowledgement against a poll',
      history: [send(0, 0, 'a'), poll('r', [[0, 'b']])],
    },
    {
      rule: 'duplicate',
      history: [
        poll('r', [
          [0, 'a'],
          [1, 'a'],
        ]),
      ],
    },
    { rule: 'lost write', history: [send(0, 0, 'a'), send(1, 1, 'b'), poll('r', [[1, 'b']])] },
    {
      rule: 'failed write seen',
      history: [
        { type: 'send', process: 'p', sequence: 0, partition: 't-0', value: 'a', outcome: 'failed' },
        poll('r', [[0, 'a']]),
      ],
    },
    {
      rule: 'poll skip',
      name: 'within a poll',
      history: [
        poll('all', ABCD),
        poll('r', [
          [0, 'v0'],
          [2, 'v2'],
        ]),
      ],
    },
    {
      rule: 'poll skip',
      name: 'between polls',
      history: [poll('all', ABCD), poll('r', [[0, 'v0']]), poll('r', [[2, 'v2']])],
    },
    {
      rule: 'non-monotonic poll',
      name: 'within a poll',
      history: [
        poll('r', [
          [1, 'v1'],
          [0, 'v0'],
        ]),
      ],
    },
    {
      rule: 'non-monotonic poll',
      name: 'between polls',
      history: [poll('r', [[1, 'v1']]), poll('r', [[0, 'v0']])],
    },
    { rule: 'non-monotonic send', history: [send(0, 1, 'a'), send(1, 0, 'b')] },
    { rule: 'unseen', history: [send(0, 0, 'a'), send(1, 1, 'b'), poll('final', [[0, 'a']], true)] },
    { rule: 'committed offset goes back', history: [commit('m', 3, 0, 1), commit('n', 2, 2, 3)] },
    {
      rule: 'owner starts elsewhere',
      name: 'before the commit',
      history: [poll('all', ABCD), commit('m', 2, 0, 1), owns('assigned', 'n', 2), poll('n', [[1, 'v1']])],
    },
    {
      rule: 'owner starts elsewhere',
      name: 'past the commit',
      history: [poll('all', ABCD), commit('m', 2, 0, 1), owns('assigned', 'n', 2), poll('n', [[3, 'v3']])],
    },
    {
      rule: 'owner starts elsewhere',
      name: 'past the start without a commit',
      history: [poll('all', ABCD), owns('assigned', 'n', 2), poll('n', [[3, 'v3']])],
    },
    {
      rule: 'two owners',
      history: [owns('assigned', 'm', 0), owns('assigned', 'n', 1), owns('revoked', 'm', 2)],
    },
    { rule: 'two owners', name: 'to the end', history: [owns('assigned', 'm', 0), owns('assigned', 'n', 1)] },
    { rule: 'prefix loss', history: [nodeLog('1', [0, 1, 2, 3]), nodeLog('2', [1, 2, 3])] },
    { rule: 'middle loss', history: [nodeLog('1', [0, 1, 2, 3]), nodeLog('2', [0, 1, 3])] },
    { rule: 'suffix loss', history: [nodeLog('1', [0, 1, 2, 3]), nodeLog('2', [0, 1, 2])] },
    {
      rule: 'suffix loss',
      name: 'of what was acknowledged',
      history: [send(0, 4, 'v4'), nodeLog('1', [0, 1, 2, 3])],
    },
  ];

describe('each bad history has the anomaly that it was made for, and no other', () => {
  test.each(BAD)('$rule $name', ({ rule, history }) => {
    const rules = checkHistory(history).map((anomaly) => anomaly.rule);
    expect(new Set(rules)).toEqual(new Set([rule]));
  });

  test('every rule has one', () => {
    const rules: Record<Anomaly['rule'], true> = {
      'inconsistent offsets': true,
      duplicate: true,
      'lost write': true,
      'failed write seen': true,
      'poll skip': true,
      'non-monotonic poll': true,
      'non-monotonic send': true,
      unseen: true,
      'committed offset goes back': true,
      'owner starts elsewhere': true,
      'two owners': true,
      'prefix loss': true,
      'middle loss': true,
      'suffix loss': true,
    };
    expect(new Set(BAD.map(({ rule }) => rule))).toEqual(new Set(Object.keys(rules)));
  });
});

describe('what looks odd and is allowed', () => {
  test.each([
    ['an empty history', []],
    [
      'a reader that was repositioned',
      [
        poll('r', [[2, 'v2']]),
        { type: 'reposition', reader: 'r', partitions: ['t-0'] },
        poll('r', [[0, 'v0']]),
      ],
    ],
    [
      'offsets that gap for everybody',
      [
        poll('r', [
          [0, 'a'],
          [7, 'b'],
        ]),
        poll('s', [
          [0, 'a'],
          [7, 'b'],
        ]),
      ],
    ],
    [
      'a write without an answer that is there',
      [
        { type: 'send', process: 'p', sequence: 0, partition: 't-0', value: 'v0', outcome: 'unknown' },
        poll('final', [[0, 'v0']], true),
      ],
    ],
    [
      'an owner that was replaced and learned of it later',
      [owns('assigned', 'm', 0), owns('assigned', 'n', 1), owns('lost', 'm', 2)],
    ],
    ['commits that overlap and end in the other order', [commit('m', 3, 0, 5), commit('m', 2, 1, 6)]],
    [
      'an owner that starts at a commit whose answer came late',
      [
        poll('all', ABCD),
        commit('m', 1, 0, 1),
        owns('assigned', 'n', 4),
        poll('n', [[3, 'v3']]),
        commit('m', 3, 2, 9),
      ],
    ],
    [
      'a node whose log begins later',
      [
        nodeLog('1', [0, 1, 2, 3]),
        { ...(nodeLog('2', [2, 3]) as Operation & { type: 'nodeLog' }), startOffset: 2 },
      ],
    ],
  ] as [string, History][])('%s', (_, history) => {
    expect(checkHistory(history)).toEqual([]);
  });
});
