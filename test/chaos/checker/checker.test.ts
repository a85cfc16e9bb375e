import { describe, expect, test } from 'vitest';
import { checkHistory } from '../../../chaos/checker/checker.ts';
import type {
  Anomaly,
  History,
  NodeLog,
  Operation,
  Outcome,
  Ownership,
  TopicChange,
} from '../../../chaos/checker/history.ts';

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
const logStart = (offset: number, highWatermark?: number): Operation => ({
  ...{ type: 'logStart', partition: 't-0', offset },
  ...(highWatermark === undefined ? {} : { highWatermark }),
});
const isSet = (offset: number, startedAt: number, endedAt: number, outcome: Outcome = 'ok'): Operation => ({
  ...{ type: 'commit', group: 'g', member: 'x', partition: 't-0', offset, outcome, startedAt, endedAt },
  isReset: true,
});
const fetched = (offset: number | undefined, startedAt: number, endedAt: number): Operation => ({
  ...{ type: 'fetchedOffset', group: 'g', process: 'x', partition: 't-0', startedAt, endedAt },
  ...(offset === undefined ? {} : { offset }),
});
type Changed = Partial<TopicChange>;
const created = (
  startedAt: number,
  endedAt: number,
  { outcome = 'ok', ...rest }: Changed = {},
): Operation => ({
  ...{ type: 'createTopic', process: 'a', topic: 'x', outcome, startedAt, endedAt, ...rest },
});
const deleted = (
  startedAt: number,
  endedAt: number,
  { outcome = 'ok', ...rest }: Changed = {},
): Operation => ({
  ...{ type: 'deleteTopic', process: 'b', topic: 'x', outcome, startedAt, endedAt, ...rest },
});
const described = (topicId: string | undefined, at: number, isFinal = false): Operation => ({
  ...{ type: 'describedTopic', process: 'c', topic: 'x', startedAt: at, endedAt: at, isFinal },
  ...(topicId === undefined ? {} : { topicId }),
});
const ABCD = [
  [0, 'v0'],
  [1, 'v1'],
  [2, 'v2'],
  [3, 'v3'],
] as const;

const startingAt = (startOffset: number, log: Operation): Operation => ({ ...(log as NodeLog), startOffset });
const inGeneration = (generation: number, assigned: Operation): Operation => ({
  ...(assigned as Ownership),
  generation,
});

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
    {
      rule: 'prefix loss',
      name: 'of a node whose log begins later',
      history: [nodeLog('1', [0, 1, 2, 3]), startingAt(2, nodeLog('2', [2, 3]))],
    },
    {
      rule: 'prefix loss',
      name: 'of a node whose log begins later than any was told to',
      history: [nodeLog('1', [0, 1, 2, 3]), startingAt(3, nodeLog('2', [3])), logStart(1)],
    },
    {
      rule: 'two owners',
      name: 'in one generation',
      history: [
        inGeneration(5, owns('assigned', 'm', 0)),
        owns('revoked', 'm', 1),
        inGeneration(5, owns('assigned', 'n', 2)),
      ],
    },
    {
      rule: 'poll skip',
      name: 'of what was not deleted',
      history: [poll('all', ABCD), poll('r', [[0, 'v0']]), logStart(2), poll('r', [[3, 'v3']])],
    },
    {
      rule: 'poll skip',
      name: 'after a seek',
      history: [
        poll('all', ABCD),
        { type: 'reposition', reader: 'r', partitions: ['t-0'], offset: 1 },
        poll('r', [[2, 'v2']]),
      ],
    },
    {
      rule: 'poll skip',
      name: 'at the start of a final reader',
      history: [poll('all', ABCD), poll('f', ABCD.slice(1), true)],
    },
    {
      rule: 'non-monotonic poll',
      name: 'after a seek',
      history: [
        poll('all', ABCD),
        { type: 'reposition', reader: 'r', partitions: ['t-0'], offset: 2 },
        poll('r', [[1, 'v1']]),
      ],
    },
    {
      rule: 'unseen',
      name: 'although the log began later by then',
      history: [send(0, 2, 'a'), send(1, 3, 'b'), logStart(2), poll('final', [[2, 'a']], true)],
    },
    {
      rule: 'owner starts elsewhere',
      name: 'past what was deleted',
      history: [
        poll('all', ABCD),
        commit('m', 1, 0, 1),
        logStart(2),
        owns('assigned', 'n', 2),
        poll('n', [[3, 'v3']]),
      ],
    },
    {
      rule: 'committed offset goes back',
      name: 'long after it was set back',
      history: [isSet(0, 0, 1), commit('m', 3, 2, 3), commit('n', 2, 4, 5)],
    },
    { rule: 'log start beyond the high watermark', history: [logStart(5, 4)] },
    {
      rule: 'log start beyond the high watermark',
      name: 'of a node',
      history: [startingAt(5, nodeLog('1', [], 4)), logStart(5)],
    },
    {
      rule: 'topics not linearizable',
      name: 'created twice',
      history: [created(0, 1, { topicId: '1' }), created(2, 3, { topicId: '2' })],
    },
    {
      rule: 'topics not linearizable',
      name: 'deleted twice',
      history: [created(0, 1), deleted(2, 3), deleted(4, 5)],
    },
    {
      rule: 'topics not linearizable',
      name: 'refused because of a topic that was deleted',
      history: [created(0, 1), deleted(2, 3), created(4, 5, { outcome: 'failed', refusal: 'exists' })],
    },
    {
      rule: 'topics not linearizable',
      name: 'a deletion that finds none',
      history: [created(0, 1), deleted(2, 3, { outcome: 'failed', refusal: 'missing' })],
    },
    {
      rule: 'topics not linearizable',
      name: 'gone at the end',
      history: [created(0, 1, { topicId: '1' }), described(undefined, 2, true)],
    },
    {
      rule: 'topics not linearizable',
      name: 'another one at the end',
      history: [
        created(0, 1, { topicId: '1' }),
        deleted(2, 3),
        created(4, 5, { topicId: '2' }),
        described('1', 6, true),
      ],
    },
    { rule: 'topic from nowhere', history: [described('1', 0)] },
    {
      rule: 'topic from nowhere',
      name: 'from the future',
      history: [described('1', 0), created(1, 2, { topicId: '1' })],
    },
    {
      rule: 'topic from nowhere',
      name: 'two of one creation',
      history: [created(0, 1, { outcome: 'unknown' }), described('1', 2), described('2', 3)],
    },
    {
      rule: 'offsets not linearizable',
      name: 'an old one is fetched',
      history: [isSet(5, 0, 1), isSet(3, 2, 3), fetched(5, 4, 5)],
    },
    {
      rule: 'offsets not linearizable',
      name: 'one that was refused is fetched',
      history: [isSet(5, 0, 1), isSet(3, 2, 3, 'failed'), fetched(3, 4, 5)],
    },
    {
      rule: 'offsets not linearizable',
      name: 'none is there any more',
      history: [isSet(5, 0, 1), fetched(undefined, 2, 3)],
    },
    {
      rule: 'offsets not linearizable',
      name: 'new, then old',
      history: [isSet(5, 0, 9), fetched(5, 1, 2), fetched(undefined, 3, 4)],
    },
    {
      rule: 'too wide to decide',
      history: [...Array.from({ length: 30 }, (_, offset) => isSet(offset, 0, 9)), fetched(-5, 10, 11)],
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
      'log start beyond the high watermark': true,
      'topics not linearizable': true,
      'topic from nowhere': true,
      'offsets not linearizable': true,
      'too wide to decide': true,
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
      'a node that deleted what it was told to, before another',
      [nodeLog('1', [0, 1, 2, 3]), startingAt(2, nodeLog('2', [2, 3])), logStart(2)],
    ],
    [
      'records that were deleted before anybody saw them',
      [
        send(0, 0, 'v0'),
        poll('r', [[1, 'v1']]),
        logStart(3),
        poll('r', [[3, 'v3']]),
        poll('s', [[3, 'v3']]),
        poll('final', ABCD.slice(3), true),
      ],
    ],
    [
      'an owner that begins where the log does',
      [
        poll('all', ABCD),
        commit('m', 1, 0, 1),
        logStart(3),
        owns('assigned', 'n', 2),
        poll('n', [[3, 'v3']]),
      ],
    ],
    [
      'a commit below one that was set back since',
      [commit('m', 3, 0, 1), isSet(0, 2, 3), commit('n', 2, 4, 5)],
    ],
    [
      'one generation after another',
      [
        inGeneration(5, owns('assigned', 'm', 0)),
        owns('revoked', 'm', 1),
        inGeneration(6, owns('assigned', 'n', 2)),
      ],
    ],
    [
      'a creation without an answer that took effect late',
      [
        created(0, 1, { outcome: 'unknown' }),
        deleted(2, 3, { outcome: 'failed', refusal: 'missing' }),
        created(4, 5, { outcome: 'failed', refusal: 'exists' }),
        described('1', 6, true),
      ],
    ],
    [
      'a creation without an answer that never was',
      [created(0, 1, { outcome: 'unknown' }), created(2, 3, { topicId: '2' }), described('2', 4, true)],
    ],
    [
      'a node that lags behind',
      [
        created(0, 1, { topicId: '1' }),
        described(undefined, 2),
        deleted(3, 4, { topicId: '1' }),
        described('1', 5),
      ],
    ],
    [
      'offsets fetched while they are set',
      [
        isSet(5, 0, 9),
        fetched(undefined, 1, 2),
        fetched(5, 3, 4),
        isSet(7, 10, 11, 'unknown'),
        fetched(5, 12, 13),
      ],
    ],
  ] as [string, History][])('%s', (_, history) => {
    expect(checkHistory(history)).toEqual([]);
  });
});
