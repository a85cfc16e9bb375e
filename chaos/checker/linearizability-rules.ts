import type { Anomaly, Commit, DescribedTopic, FetchedOffset, History, TopicChange } from './history.ts';
import { type Call, linearize, type Model } from './linearizability.ts';
import { NOTHING_COMMITTED, type OffsetCall, offsetModel } from './offset-model.ts';
import { type TopicCall, topicModel } from './topic-model.ts';

/** Topics are made and deleted by name; what one name goes through says nothing of another. */
export function topicsNotLinearizable(history: History): Anomaly[] {
  const byTopic = new Map<string, Call<TopicCall>[]>();
  for (const operation of history) {
    const { type } = operation;
    if (type !== 'createTopic' && type !== 'deleteTopic' && type !== 'describedTopic') continue;
    const input = type === 'describedTopic' ? described(operation) : changed(operation);
    if (!input) continue;
    const { topic, startedAt, endedAt } = operation;
    const isOpen = type !== 'describedTopic' && operation.outcome === 'unknown';
    push(byTopic, topic, { startedAt, endedAt, isOpen, input });
  }
  return judge('topics not linearizable', topicModel, byTopic);
}

function changed({ type, outcome, topicId, refusal }: TopicChange): TopicCall | undefined {
  if (outcome === 'failed') return refusal && { found: refusal };
  const did = type === 'createTopic' ? 'create' : 'delete';
  return outcome === 'ok' && topicId !== undefined ? { did, id: topicId } : { did };
}

/** What a broker tells from its own metadata may be old; at the end it must not be. */
function described({ isFinal, topicId }: DescribedTopic): TopicCall | undefined {
  if (isFinal !== true) return undefined;
  return topicId === undefined ? { found: 'missing' } : { found: 'id', id: topicId };
}

/** Each pair of group and partition is a register of its own; without fetches any order of commits will do. */
export function offsetsNotLinearizable(history: History): Anomaly[] {
  const commits = new Map<string, Commit[]>();
  const fetches = new Map<string, FetchedOffset[]>();
  for (const operation of history) {
    if (operation.type === 'commit') {
      if (operation.outcome !== 'failed') push(commits, keyOf(operation), operation);
    } else if (operation.type === 'fetchedOffset') push(fetches, keyOf(operation), operation);
  }
  const calls = [...fetches].map(([key, fetched]): [string, Call<OffsetCall>[]] => [
    key,
    registerCalls(commits.get(key) ?? [], fetched),
  ]);
  return judge('offsets not linearizable', offsetModel, calls);
}

const keyOf = ({ group, partition }: Commit | FetchedOffset) => `${group} ${partition}`;

function registerCalls(commits: readonly Commit[], fetches: readonly FetchedOffset[]): Call<OffsetCall>[] {
  const fetched = new Set(fetches.map(({ offset }) => offset));
  // Whether an unanswered commit that nobody ever saw took effect makes no difference to anybody.
  const relevant = commits.filter(({ outcome, offset }) => outcome === 'ok' || fetched.has(offset));
  return [
    ...relevant.map(({ startedAt, endedAt, outcome, offset }) => ({
      ...{ startedAt, endedAt, isOpen: outcome === 'unknown', input: { committed: offset } },
    })),
    ...fetches.map(({ startedAt, endedAt, offset = NOTHING_COMMITTED }) => ({
      ...{ startedAt, endedAt, input: { fetched: offset } },
    })),
  ];
}

function judge<State, Input>(
  rule: Anomaly['rule'],
  model: Model<State, Input>,
  callsByKey: Iterable<readonly [string, readonly Call<Input>[]]>,
): Anomaly[] {
  return [...callsByKey].flatMap(([key, calls]): Anomaly[] => {
    const found = linearize(model, calls);
    if (found.verdict === 'linearizable') return [];
    const message = `${key}: ${textOf(found.at)}${contextOf(calls, found.at)}`;
    return [{ rule: found.verdict === 'not linearizable' ? rule : 'too wide to decide', message }];
  });
}

const CONTEXT_CALLS = 6;

/** What ended last before this call did, and what it overlaps: usually one of them is at fault. */
function contextOf(calls: readonly Call<unknown>[], at: Call<unknown>): string {
  return calls
    .filter((call) => call !== at && call.startedAt <= at.endedAt)
    .sort((a, b) => a.startedAt - b.startedAt)
    .slice(-CONTEXT_CALLS)
    .map((call) => `, after ${textOf(call)}`)
    .join('');
}

const textOf = ({ input, startedAt, endedAt, isOpen }: Call<unknown>) =>
  `${JSON.stringify(input)} at ${Math.round(startedAt)} to ${isOpen ? 'no answer' : Math.round(endedAt)}`;

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const values = map.get(key);
  if (values) values.push(value);
  else map.set(key, [value]);
}
