import type { Operation } from '../../../chaos/checker/history.ts';

const PARTITIONS = 12;
const POLL_RECORDS = 500;
const NODES = ['1', '2', '3'];
const COMMIT_EVERY = 50;

/**
 * The history of an hour or so, as `add` is given it: each record sent, read by a reader, by a group of two that commits
 * and changes hands, and by a final reader, and held by three nodes; beside that, topics and offsets that clients contend for.
 */
export function addLargeHistory(records: number, add: (operation: Operation) => void): void {
  const ends = new Array<number>(PARTITIONS).fill(0);
  for (let sequence = 0; sequence < records; sequence += 1) {
    const index = sequence % PARTITIONS;
    const offset = ends[index] ?? 0;
    ends[index] = offset + 1;
    const common = { process: 'p', sequence, partition: `t-${index}`, value: valueAt(index, offset) };
    add({ type: 'send', ...common, outcome: 'ok', offset });
  }
  for (const [index, end] of ends.entries()) {
    addPolls('r', index, end, add);
    addGroup(index, end, add);
    addPolls('final', index, end, add);
    for (const node of NODES) {
      const held = Array.from({ length: end }, (_, offset) => ({ offset, value: valueAt(index, offset) }));
      const log = { node, partition: `t-${index}`, startOffset: 0, highWatermark: end, records: held };
      add({ type: 'nodeLog', ...log });
    }
  }
  for (let at = 0; at < records / 50; at += 1) addContended(at, add);
}

const valueAt = (index: number, offset: number) => `p-${index}-${offset}`;

function addPolls(reader: string, index: number, end: number, add: (operation: Operation) => void): void {
  const isFinal = reader === 'final';
  for (let from = 0; from < end; from += POLL_RECORDS)
    add({
      type: 'poll',
      reader,
      isFinal,
      records: recordsOf(index, from, Math.min(end, from + POLL_RECORDS)),
    });
}

function recordsOf(index: number, from: number, to: number) {
  return Array.from({ length: to - from }, (_, each) => ({
    partition: `t-${index}`,
    offset: from + each,
    value: valueAt(index, from + each),
  }));
}

function addGroup(index: number, end: number, add: (operation: Operation) => void): void {
  const partition = `t-${index}`;
  let generation = 0;
  for (let from = 0; from < end; from += COMMIT_EVERY) {
    const member = `m${generation % 2}`;
    const ownership = { group: 'g', member, partitions: [partition], at: from };
    const isNew = from % (10 * COMMIT_EVERY) === 0;
    if (isNew) {
      add({ type: 'reposition', reader: member, partitions: [partition] });
      add({ type: 'assigned', ...ownership, generation });
    }
    const to = Math.min(end, from + COMMIT_EVERY);
    add({ type: 'poll', reader: member, records: recordsOf(index, from, to) });
    const commit = { group: 'g', member, partition, offset: to, startedAt: from, endedAt: from + 1 };
    add({ type: 'commit', ...commit, outcome: 'ok' });
    const isLast = to % (10 * COMMIT_EVERY) === 0;
    if (isLast) {
      add({ type: 'revoked', ...ownership });
      generation += 1;
    }
  }
}

function addContended(at: number, add: (operation: Operation) => void): void {
  const partition = `t-${at % PARTITIONS}`;
  const times = { startedAt: 3 * at, endedAt: 3 * at + 1 };
  const commit = {
    type: 'commit',
    group: 'solo',
    member: 'c',
    partition,
    offset: at,
    isReset: true,
  } as const;
  if (at % 100 === 0) add({ ...commit, offset: -at, outcome: 'unknown', ...times });
  add({ ...commit, outcome: 'ok', ...times });
  const later = { startedAt: 3 * at + 2, endedAt: 3 * at + 2.5 };
  add({ type: 'fetchedOffset', group: 'solo', process: 'd', partition, offset: at, ...later });
  const topic = { process: 'a', topic: `x${at % 5}`, topicId: `${at}`, outcome: 'ok' } as const;
  if (at % 20 < 5) {
    add({ type: 'createTopic', ...topic, ...times });
    add({ type: 'deleteTopic', ...topic, ...later });
  }
}
