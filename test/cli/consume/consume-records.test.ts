import { expect, test } from 'vitest';
import {
  type BytesRecord,
  type ConsumeGoal,
  consumeRecords,
  type RecordSource,
  WrittenOffsets,
} from '../../../src/cli/consume/consume-records.ts';

const record = (partition: number, offset: number): BytesRecord => ({
  topic: 't',
  partition,
  offset,
  timestamp: 0,
  key: null,
  value: Buffer.from(`${partition}-${offset}`),
  headers: [],
  leaderEpoch: 3,
});

/** Hands out prepared polls; its positions are behind what it handed out. */
class FakeSource implements RecordSource {
  readonly #polls: BytesRecord[][];
  readonly #positions = new Map<number, number>();
  polled = 0;

  constructor(owned: readonly number[], polls: BytesRecord[][]) {
    this.#polls = polls;
    for (const partition of owned) this.#positions.set(partition, 0);
  }

  async poll(_timeoutMs: number, { signal }: { signal: AbortSignal }): Promise<BytesRecord[]> {
    this.polled++;
    const records = this.#polls.shift();
    if (!records) {
      if (signal.aborted) throw new Error('aborted');
      throw new Error('polled in vain');
    }
    for (const { partition, offset } of records) this.#positions.set(partition, offset + 1);
    return records;
  }

  assignment() {
    return [...this.#positions.keys()].map((partition) => ({ topic: 't', partition }));
  }

  async position({ partition }: { partition: number }): Promise<number> {
    return this.#positions.get(partition) ?? -1;
  }
}

async function consume(
  source: FakeSource,
  goal: Partial<ConsumeGoal>,
  signal = new AbortController().signal,
) {
  const rows: string[] = [];
  const write = async (records: readonly BytesRecord[]) => {
    rows.push(...records.map(({ value }) => Buffer.from(value ?? '').toString()));
  };
  await consumeRecords(
    source,
    write,
    { recordsMax: Number.POSITIVE_INFINITY, endOffsets: undefined, ...goal },
    signal,
  );
  return rows;
}

test('stops after so many records, in the midst of a poll too', async () => {
  const source = new FakeSource([0], [[record(0, 0)], [record(0, 1), record(0, 2), record(0, 3)]]);
  expect(await consume(source, { recordsMax: 2 })).toEqual(['0-0', '0-1']);
});

test('only what matches is written and counted; all that was passed is done with', async () => {
  const source = new FakeSource(
    [0],
    [
      [record(0, 0), record(0, 1)],
      [record(0, 2), record(0, 3), record(0, 4)],
    ],
  );
  const seen: [string[], number[]][] = [];
  const goal = {
    recordsMax: 2,
    endOffsets: undefined,
    matches: ({ offset }: BytesRecord) => offset % 2 === 1,
  };
  const write = async (records: readonly BytesRecord[], done: readonly BytesRecord[]) => {
    seen.push([records.map(({ offset }) => `${offset}`), done.map(({ offset }) => offset)]);
  };
  await consumeRecords(source, write, goal, new AbortController().signal);
  expect(seen).toEqual([
    [['1'], [0, 1]],
    [['3'], [2, 3]],
  ]);
});

test('stops at the ends there were at the start, and prints nothing beyond them', async () => {
  const source = new FakeSource([0, 1], [[record(0, 0)], [], [record(1, 0), record(1, 1), record(0, 1)]]);
  expect(await consume(source, { endOffsets: [1, 1, 0] })).toEqual(['0-0', '1-0']);
});

test('an empty topic ends at once', async () => {
  const source = new FakeSource([0, 1], []);
  expect(await consume(source, { endOffsets: [0, 0] })).toEqual([]);
  expect(source.polled).toBe(0);
});

test('a member of a group waits until the others have committed the ends of their partitions', async () => {
  let asked = 0;
  const committed = async () => new Map([[1, asked++ === 0 ? 4 : 5]]);
  const source = new FakeSource([0], [[record(0, 0)], [record(0, 1)], [], [], []]);
  const rows = await consume(source, { endOffsets: [2, 5], committed });
  expect(rows).toEqual(['0-0', '0-1']);
  expect(asked).toBe(2);
});

test('an interruption is a normal end, any other failure is not', async () => {
  const controller = new AbortController();
  const source = new FakeSource([0], []);
  controller.abort();
  expect(await consume(source, {}, controller.signal)).toEqual([]);
  await expect(consume(source, {})).rejects.toThrow('polled in vain');
});

test('what was written is committed once, each partition at its newest', () => {
  const written = new WrittenOffsets();
  written.add([record(0, 4), record(1, 8), record(0, 5)]);
  expect(written.take([{ topic: 't', partition: 0 }])).toEqual([
    { topic: 't', partition: 0, offset: 6, leaderEpoch: 3 },
  ]);
  expect(written.take()).toEqual([{ topic: 't', partition: 1, offset: 9, leaderEpoch: 3 }]);
  expect(written.take()).toEqual([]);
});
