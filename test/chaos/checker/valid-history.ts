import * as fc from 'fast-check';
import type { Operation, Outcome, SeenRecord } from '../../../chaos/checker/history.ts';

const PARTITIONS = ['t-0', 't-1'];
const PRODUCERS = ['p', 'q'];
const READERS = ['r', 's'];
const MEMBERS = ['m', 'n'];
const NODES = ['1', '2', '3'];
const TOPICS = ['x', 'y'];

/** What happens next, and numbers that decide what exactly: whatever they are, something correct comes of it. */
type Step = readonly [kind: string, which: number, much: number, chance: number];

const KINDS = [
  ...[
    'send',
    'send',
    'send',
    'send',
    'poll',
    'poll',
    'poll',
    'seek',
    'rebalance',
    'memberPoll',
    'memberPoll',
  ],
  ...['commit', 'retain', 'follow', 'create', 'delete', 'describe', 'set', 'fetch'],
];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom(...KINDS),
  fc.nat(11),
  fc.integer({ min: 1, max: 5 }),
  fc.nat(5),
);

/** The history of a random run of a correct system, with all that its rules allow; ends with the final reads. */
export const validHistory: fc.Arbitrary<Operation[]> = fc
  .array(step, { minLength: 60, maxLength: 200, size: 'max' })
  .map((steps) => {
    const system = new CorrectSystem();
    for (const each of steps) system.take(each);
    return system.end();
  });

interface Partition {
  readonly name: string;
  readonly records: SeenRecord[];
  start: number;
  end: number;
  owner: string | undefined;
  position: number;
  committed: number;
}

const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

/** One copy of everything, in which each operation takes effect at a moment of its own. */
class CorrectSystem {
  readonly #history: Operation[] = [];
  readonly #partitions: readonly Partition[] = PARTITIONS.map((name) => ({
    ...{ name, records: [], start: 0, end: 0, owner: undefined, position: 0, committed: 0 },
  }));
  readonly #positions = new Map<string, number>();
  readonly #nodeStarts = new Map<string, number>();
  readonly #topics = new Map<string, string>();
  readonly #registers = new Map<string, number>();
  #now = 100;
  #sequence = 0;
  #generation = 0;

  take([kind, which, much, chance]: Step): void {
    this.#now += much;
    const partition = at(this.#partitions, which);
    // Around the moment of its effect, so that operations overlap.
    const times = { startedAt: this.#now - which, endedAt: this.#now + chance * 2 };
    if (kind === 'send') this.#send(partition, at(PRODUCERS, much), chance);
    if (kind === 'poll') this.#poll(at(READERS, which), much);
    if (kind === 'seek') this.#seek(partition, at(READERS, much), chance);
    if (kind === 'rebalance') this.#rebalance(partition, at(MEMBERS, much), chance);
    if (kind === 'memberPoll') this.#memberPoll(partition, much);
    if (kind === 'commit') this.#commit(partition, times, chance);
    if (kind === 'retain') this.#retain(partition, much);
    if (kind === 'follow') this.#nodeStarts.set(`${at(NODES, much)} ${partition.name}`, partition.start);
    if (kind === 'create' || kind === 'delete') this.#change(kind, at(TOPICS, which), times, chance);
    if (kind === 'describe') this.#describe(at(TOPICS, which), times, false);
    if (kind === 'set') this.#set(partition.name, times, chance);
    if (kind === 'fetch') this.#fetch(partition.name, times);
  }

  end(): Operation[] {
    this.#now += 1000;
    const times = { startedAt: this.#now, endedAt: this.#now };
    for (const { name, records, start, end } of this.#partitions) {
      const kept = records.filter(({ offset }) => offset >= start);
      const half = Math.ceil(kept.length / 2);
      for (const some of [kept.slice(0, half), kept.slice(half)])
        this.#history.push({ type: 'poll', reader: 'final', isFinal: true, records: some });
      for (const node of NODES) {
        const startOffset = this.#nodeStarts.get(`${node} ${name}`) ?? 0;
        const held = records.filter(({ offset }) => offset >= startOffset);
        const log = { node, partition: name, startOffset, highWatermark: end, records: held };
        this.#history.push({ type: 'nodeLog', ...log });
      }
      this.#fetch(name, times);
    }
    for (const topic of TOPICS) this.#describe(topic, times, true);
    return this.#history;
  }

  #send(partition: Partition, process: string, chance: number): void {
    const sequence = this.#sequence++;
    const value = `v${sequence}`;
    const send = { type: 'send', process, sequence, partition: partition.name, value } as const;
    const outcome: Outcome = chance === 0 ? 'failed' : chance === 1 || chance === 2 ? 'unknown' : 'ok';
    const isWritten = outcome === 'ok' || chance === 1;
    const offset = partition.end + (chance === 5 ? 2 : 0);
    this.#history.push({ ...send, outcome, ...(outcome === 'ok' ? { offset } : {}) });
    if (!isWritten) return;
    partition.records.push({ partition: partition.name, offset, value });
    partition.end = offset + 1;
  }

  #poll(reader: string, most: number): void {
    const records = this.#partitions.flatMap((partition) => {
      const key = `${reader} ${partition.name}`;
      const read = readFrom(partition, this.#positions.get(key) ?? 0, most);
      const last = read.at(-1);
      if (last) this.#positions.set(key, last.offset + 1);
      return read;
    });
    this.#history.push({ type: 'poll', reader, records });
  }

  #seek({ name, start, end }: Partition, reader: string, chance: number): void {
    const offset = start + (((end - start) * chance) >> 3);
    this.#positions.set(`${reader} ${name}`, offset);
    const isTold = chance % 2 === 0;
    this.#history.push({
      ...{ type: 'reposition', reader, partitions: [name] },
      ...(isTold ? { offset } : {}),
    });
  }

  #rebalance(partition: Partition, member: string, chance: number): void {
    const { name, owner } = partition;
    const common = { group: 'g', partitions: [name], at: this.#now };
    const takenAway = { type: chance === 0 ? 'lost' : 'revoked', member: owner ?? '', ...common } as const;
    // An owner that does not answer learns only later that others have what it held.
    if (owner !== undefined && chance !== 0) this.#history.push(takenAway);
    this.#generation += 1;
    this.#history.push(
      { type: 'reposition', reader: member, partitions: [name] },
      { type: 'assigned', member, ...common, generation: this.#generation },
    );
    if (owner !== undefined && owner !== member && chance === 0) this.#history.push(takenAway);
    partition.owner = member;
    partition.position = partition.committed;
  }

  #memberPoll(partition: Partition, most: number): void {
    if (partition.owner === undefined) return;
    const records = readFrom(partition, partition.position, most);
    partition.position = (records.at(-1)?.offset ?? partition.position - 1) + 1;
    this.#history.push({ type: 'poll', reader: partition.owner, records });
  }

  #commit(partition: Partition, times: { startedAt: number; endedAt: number }, chance: number): void {
    const { name, owner, position } = partition;
    if (owner === undefined) return;
    const outcome: Outcome = chance === 0 ? 'failed' : chance === 1 || chance === 2 ? 'unknown' : 'ok';
    const commit = { group: 'g', member: owner, partition: name, offset: position, outcome, ...times };
    this.#history.push({ type: 'commit', ...commit });
    if (outcome === 'ok' || chance === 1) partition.committed = position;
  }

  #retain(partition: Partition, much: number): void {
    partition.start = Math.min(partition.end, partition.start + much);
    const { name, start, end } = partition;
    this.#nodeStarts.set(`${at(NODES, much)} ${name}`, start);
    this.#history.push({ type: 'logStart', partition: name, offset: start, highWatermark: end });
  }

  #change(
    kind: 'create' | 'delete',
    topic: string,
    times: { startedAt: number; endedAt: number },
    chance: number,
  ): void {
    const type = kind === 'create' ? 'createTopic' : 'deleteTopic';
    const found = this.#topics.get(topic);
    const change = { type, process: 'a', topic, ...times } as const;
    if ((kind === 'create') === (found !== undefined)) {
      const refusal = kind === 'create' ? 'exists' : 'missing';
      this.#history.push({ ...change, outcome: 'failed', refusal });
      return;
    }
    const topicId = found ?? `id${this.#now}`;
    if (chance !== 0 && kind === 'create') this.#topics.set(topic, topicId);
    if (chance !== 0 && kind === 'delete') this.#topics.delete(topic);
    // Without an answer: it was carried out, perhaps long after who asked gave up, or not.
    if (chance > 1) this.#history.push({ ...change, outcome: 'ok', topicId });
    else this.#history.push({ ...change, outcome: 'unknown', endedAt: times.startedAt });
  }

  #describe(topic: string, times: { startedAt: number; endedAt: number }, isFinal: boolean): void {
    const topicId = this.#topics.get(topic);
    this.#history.push({
      ...{ type: 'describedTopic', process: 'b', topic, isFinal, ...times },
      ...(topicId === undefined ? {} : { topicId }),
    });
  }

  #set(partition: string, times: { startedAt: number; endedAt: number }, chance: number): void {
    const offset = this.#now;
    const outcome: Outcome = chance === 0 ? 'failed' : chance === 1 || chance === 2 ? 'unknown' : 'ok';
    const commit = { group: 'solo', member: 'c', partition, offset, outcome, isReset: true, ...times };
    this.#history.push({ type: 'commit', ...commit });
    if (outcome === 'ok' || chance === 1) this.#registers.set(partition, offset);
  }

  #fetch(partition: string, times: { startedAt: number; endedAt: number }): void {
    const offset = this.#registers.get(partition);
    this.#history.push({
      ...{ type: 'fetchedOffset', group: 'solo', process: 'd', partition, ...times },
      ...(offset === undefined ? {} : { offset }),
    });
  }
}

/** Whoever stands before the start of the log goes on there. */
function readFrom({ records, start }: Partition, position: number, most: number): SeenRecord[] {
  return records.filter(({ offset }) => offset >= Math.max(position, start)).slice(0, most);
}
