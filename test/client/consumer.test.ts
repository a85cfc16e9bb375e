import { describe, expect, test } from 'vitest';
import { Consumer } from '../../src/client/consumer.ts';
import type { ConsumerOptions } from '../../src/client/consumer-options.ts';
import { LogTruncationError } from '../../src/client/errors.ts';
import { json, type Serde, string } from '../../src/client/serde.ts';
import { RecordBatchBuilder } from '../../src/protocol/record-batch-builder.ts';
import { FakeCluster } from './support/fake-cluster.ts';
import { FakeLog } from './support/fake-log.ts';

const P0 = { topic: 't', partition: 0 };
const encoder = new TextEncoder();

/** Appends one batch. */
function append(log: FakeLog | undefined, ...values: string[]): void {
  const builder = new RecordBatchBuilder({ sizeBytesMax: 1e6 });
  for (const value of values) builder.tryAppend({ timestamp: 1, key: null, value: encoder.encode(value) });
  log?.append(builder.build());
}

function setUp(options: Omit<ConsumerOptions, 'key' | 'value'> = {}, partitions = 1) {
  const fake = new FakeCluster(1);
  const topic = fake.addTopic('t', partitions);
  const log = topic.partitions[0] as FakeLog;
  const cluster = fake.connect();
  const consumer = new Consumer<Uint8Array, string>(cluster, {
    value: string,
    autoOffsetReset: 'earliest',
    ...options,
  });
  const run = <T>(promise: Promise<T>): Promise<T> => fake.world.settle(promise);
  const poll = async (timeoutMs = 1000) => (await run(consumer.poll(timeoutMs))).map(({ value }) => value);
  return { fake, topic, log, cluster, consumer, run, poll };
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => String(from + i));

describe('assign', () => {
  test('reads from the earliest offset and waits for more', async () => {
    const { fake, log, consumer, run, poll } = setUp();
    append(log, ...range(0, 3));
    append(log, '3');
    await run(consumer.assign([P0]));
    expect(await poll()).toEqual(['0', '1', '2', '3']);
    expect(await poll(50)).toEqual([]);
    fake.world.schedule(300, 'append', () => append(log, '4'));
    expect(await poll(2000)).toEqual(['4']);
    expect(await run(consumer.position(P0))).toBe(5);
    expect(consumer.lag(P0)).toBe(0);
    await run(consumer.close());
  });

  test('waits for a partition that was added a moment ago, and not long for one that was not', async () => {
    const { fake, topic, consumer, run, poll } = setUp();
    const added = { topic: 't', partition: 1 };
    await run(consumer.assign([P0]));
    fake.world.schedule(700, 'add a partition', () => topic.partitions.push(new FakeLog(2)));
    await run(consumer.assign([P0, added]));
    append(topic.partitions[1], 'x');
    expect(await poll()).toEqual(['x']);
    const startedMs = fake.nowMs;
    await expect(run(consumer.assign([{ topic: 't', partition: 7 }]))).rejects.toMatchObject({
      code: 'INVALID_STATE',
    });
    expect(fake.nowMs - startedMs).toBeLessThan(6_000);
    await run(consumer.close());
  });

  test('starts at the end when told so', async () => {
    const { log, consumer, run, poll } = setUp({ from: 'latest' });
    append(log, 'old');
    await run(consumer.assign([P0]));
    expect(await run(consumer.position(P0))).toBe(1);
    append(log, 'new');
    expect(await poll()).toEqual(['new']);
    await run(consumer.close());
  });

  test('poll returns at most pollRecordsMax, and in a batch begins where it stopped', async () => {
    const { log, consumer, run, poll } = setUp({ pollRecordsMax: 2 });
    append(log, ...range(0, 5));
    await run(consumer.assign([P0]));
    expect([await poll(), await poll(), await poll()]).toEqual([['0', '1'], ['2', '3'], ['4']]);
    await run(consumer.close());
  });

  test('seek, seekToBeginning, seekToEnd', async () => {
    const { log, consumer, run, poll } = setUp();
    append(log, ...range(0, 5));
    await run(consumer.assign([P0]));
    consumer.seek({ ...P0, offset: 3 });
    expect(await poll()).toEqual(['3', '4']);
    consumer.seekToBeginning();
    expect((await poll()).length).toBe(5);
    consumer.seekToEnd();
    expect(await run(consumer.position(P0))).toBe(5);
    expect(() => consumer.seek({ ...P0, offset: -3 })).toThrow(/not an offset/);
    expect(() => consumer.seek({ topic: 't', partition: 9, offset: 0 })).toThrow(/not assigned/);
    await run(consumer.close());
  });

  test('pause holds back what was fetched ahead, resume hands it out', async () => {
    const { log, consumer, run, poll } = setUp({ pollRecordsMax: 1 });
    append(log, ...range(0, 3));
    await run(consumer.assign([P0]));
    expect(await poll()).toEqual(['0']);
    consumer.pause([P0]);
    expect(await poll(100)).toEqual([]);
    consumer.resume([P0]);
    expect(await poll()).toEqual(['1']);
    await run(consumer.close());
  });

  test('follows a leader that moves, also one that went silent', async () => {
    const { fake, log, consumer, run, poll } = setUp();
    append(log, '0');
    await run(consumer.assign([P0]));
    expect(await poll()).toEqual(['0']);
    fake.fault = (_, nodeId) => ({ kind: nodeId === 1 ? 'hang' : 'ok' });
    fake.moveLeader(log, 2);
    append(log, '1');
    expect(await poll(5000)).toEqual(['1']);
    await run(consumer.close());
  });

  test('a deserializer that fails names the record, and seek goes past it', async () => {
    const fake = new FakeCluster(1);
    const log = fake.addTopic('t', 1).partitions[0] as FakeLog;
    append(log, '1', '{', '3');
    const consumer = new Consumer(fake.connect(), { value: json<number>(), autoOffsetReset: 'earliest' });
    await fake.world.settle(consumer.assign([P0]));
    expect((await fake.world.settle(consumer.poll())).map(({ value }) => value)).toEqual([1]);
    await expect(fake.world.settle(consumer.poll())).rejects.toThrow(/offset 1 cannot be deserialized/);
    consumer.seek({ ...P0, offset: 2 });
    expect((await fake.world.settle(consumer.poll())).map(({ value }) => value)).toEqual([3]);
    await fake.world.settle(consumer.close());
  });

  test('damage on the way is reported, and the next poll reads the same place again', async () => {
    const { log, consumer, run, poll } = setUp();
    append(log, 'fine');
    const bytes = log.batches[0]?.bytes as Uint8Array;
    const last = bytes.length - 2;
    bytes[last] = (bytes[last] as number) ^ 1;
    await run(consumer.assign([P0]));
    await expect(run(consumer.poll())).rejects.toMatchObject({ code: 'CORRUPT_MESSAGE' });
    bytes[last] = (bytes[last] as number) ^ 1;
    expect(await poll()).toEqual(['fine']);
    await run(consumer.close());
  });

  test('an aborted poll rejects and leaves the consumer usable', async () => {
    const { fake, log, consumer, run, poll } = setUp();
    await run(consumer.assign([P0]));
    const controller = new AbortController();
    fake.world.schedule(100, 'abort', () => controller.abort());
    await expect(run(consumer.poll(10_000, { signal: controller.signal }))).rejects.toMatchObject({
      code: 'ABORTED',
    });
    append(log, 'x');
    expect(await poll()).toEqual(['x']);
    await run(consumer.close());
  });

  test('two polls at a time, or both ways of choosing partitions, are refused', async () => {
    const { consumer, run } = setUp({ group: 'g' });
    await expect(consumer.poll()).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await run(consumer.assign([P0]));
    const first = consumer.poll(10);
    await expect(consumer.poll()).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await run(first);
    expect(() => consumer.subscribe('t')).toThrow(/both subscribe and assign/);
    await run(consumer.close());
    await expect(consumer.poll()).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('positions that are gone', () => {
  test('expired records: reset by policy, or a typed error', async () => {
    for (const autoOffsetReset of ['earliest', 'latest', 'none'] as const) {
      const { log, consumer, run, poll } = setUp({ autoOffsetReset, from: 'earliest' });
      for (const value of range(0, 5)) append(log, value);
      await run(consumer.assign([P0]));
      consumer.seek({ ...P0, offset: 1 });
      log.expireTo(3);
      if (autoOffsetReset === 'none') {
        await expect(run(consumer.poll())).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
      } else {
        expect(await poll(300)).toEqual(autoOffsetReset === 'earliest' ? ['3', '4'] : []);
        expect(await run(consumer.position(P0))).toBe(5);
      }
      await run(consumer.close());
    }
  });

  test('no committed offset and no policy is a typed error', async () => {
    const { consumer, run } = setUp({ group: 'g', autoOffsetReset: 'none' });
    await run(consumer.assign([P0]));
    await expect(run(consumer.poll())).rejects.toMatchObject({ code: 'NO_OFFSET', topic: 't', partition: 0 });
    await run(consumer.close());
  });

  test('a truncated log is a typed error, never a silent reset (KIP-320)', async () => {
    const { fake, log, consumer, run, poll } = setUp();
    for (const value of range(0, 5)) append(log, value);
    await run(consumer.assign([P0]));
    expect((await poll()).length).toBe(5);
    log.truncateTo(3);
    fake.moveLeader(log, 2);
    for (const value of ['a', 'b', 'c', 'd']) append(log, value);
    const error = await run(consumer.poll(5000)).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(LogTruncationError);
    expect(error).toMatchObject({ code: 'LOG_TRUNCATED', offset: 5, divergentOffset: 3 });
    // Nothing happens until the application decides.
    expect(await poll(500)).toEqual([]);
    consumer.seek({ ...P0, offset: 3 });
    expect(await poll()).toEqual(['a', 'b', 'c', 'd']);
    await run(consumer.close());
  });

  test('a committed offset beyond the end of the log is a truncation too', async () => {
    const { fake, topic, log, consumer, run } = setUp({ group: 'g' });
    append(log, '0');
    fake.coordinator.committed.set(`${topic.topicId}:0`, { offset: 9, leaderEpoch: -1, metadata: null });
    await run(consumer.assign([P0]));
    await expect(run(consumer.poll(5000))).rejects.toMatchObject({ code: 'LOG_TRUNCATED', offset: 9 });
    await run(consumer.close());
  });

  test('a committed offset whose epoch ended earlier is a truncation', async () => {
    const { fake, topic, log, consumer, run } = setUp({ group: 'g' });
    for (const value of range(0, 5)) append(log, value);
    fake.coordinator.committed.set(`${topic.topicId}:0`, { offset: 5, leaderEpoch: 0, metadata: null });
    log.truncateTo(2);
    fake.moveLeader(log, 3);
    for (const value of range(0, 9)) append(log, value);
    await run(consumer.assign([P0]));
    await expect(run(consumer.poll(5000))).rejects.toMatchObject({ divergentOffset: 2 });
    await run(consumer.close());
  });
});

describe('group and commits', () => {
  const committedAt = (fake: FakeCluster, topicId: string) =>
    fake.coordinator.committed.get(`${topicId}:0`)?.offset;

  test('joins, reads all partitions, commits on close, and the next member goes on from there', async () => {
    const { fake, topic, log, cluster, consumer, run, poll } = setUp({ group: 'g' }, 2);
    append(log, '0', '1');
    append(topic.partitions[1], '2');
    consumer.subscribe('t');
    const values = [...(await poll(5000)), ...(await poll(500))];
    expect(values.sort()).toEqual(['0', '1', '2']);
    expect(consumer.assignment().length).toBe(2);
    await run(consumer.close());
    expect(committedAt(fake, topic.topicId)).toBe(2);
    expect(fake.coordinator.members.size).toBe(0);
    append(log, '3');
    const next = new Consumer(cluster, { group: 'g', value: string });
    next.subscribe(['t']);
    expect((await run(next.poll(5000))).map(({ value }) => value)).toEqual(['3']);
    expect(await run(next.committed([P0, { topic: 't', partition: 1 }]))).toMatchObject([
      { offset: 2 },
      { offset: 1 },
    ]);
    await run(next.close());
  });

  test('the listener commits what it gives up, also while the consumer closes', async () => {
    const { fake, topic, log, consumer, run, poll } = setUp({ group: 'g', autoCommit: false });
    append(log, '0', '1');
    consumer.subscribe('t', { onRevoked: () => consumer.commitSync([{ ...P0, offset: 1 }]) });
    await poll(5000);
    await run(consumer.close());
    expect(committedAt(fake, topic.topicId)).toBe(1);
    await expect(consumer.commitSync()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('close keeps its limit while the coordinator is silent, and tells the listener all the same', async () => {
    const { fake, log, consumer, run, poll } = setUp({ group: 'g' });
    append(log, '0', '1');
    const revoked: number[] = [];
    consumer.subscribe('t', { onRevoked: (partitions) => void revoked.push(partitions.length) });
    await poll(5000);
    await poll(10);
    fake.fault = () => ({ kind: 'hang' });
    // A heartbeat is under way as well.
    await fake.world.run(fake.nowMs + 6000);
    const beganMs = fake.nowMs;
    await run(consumer.close({ timeoutMs: 100 }));
    expect(fake.nowMs - beganMs).toBeLessThan(105);
    expect(revoked).toEqual([1]);
  });

  test('close waits for commits that nobody waits for, and a second close for the first', async () => {
    const { fake, topic, log, consumer, run, poll } = setUp({ group: 'g', autoCommit: false });
    append(log, '0', '1');
    consumer.subscribe('t');
    await poll(5000);
    fake.fault = (api) => ({ kind: 'ok', delayMs: api === 'OffsetCommit' ? 500 : 1 });
    const outcomes: (Error | undefined)[] = [];
    consumer.commitAsync(undefined, (error) => outcomes.push(error));
    void consumer.close();
    await run(consumer.close());
    expect(outcomes).toEqual([undefined]);
    expect(committedAt(fake, topic.topicId)).toBe(2);
  });

  test('an automatic commit covers only what was handed out before the latest poll', async () => {
    const { fake, topic, log, consumer, run, poll } = setUp({
      group: 'g',
      pollRecordsMax: 2,
      autoCommitIntervalMs: 100,
    });
    append(log, ...range(0, 6));
    consumer.subscribe('t');
    expect(await poll(5000)).toEqual(['0', '1']);
    // However long the handler takes, these two are not done: only the start itself is committed.
    await fake.world.run(fake.nowMs + 1000);
    expect(committedAt(fake, topic.topicId)).toBe(0);
    expect(await poll()).toEqual(['2', '3']);
    await fake.world.run(fake.nowMs + 1000);
    expect(committedAt(fake, topic.topicId)).toBe(2);
    await run(consumer.close());
    expect(committedAt(fake, topic.topicId)).toBe(4);
  });

  test('for await hands out one by one; the record in whose midst it is left is not committed', async () => {
    const { fake, topic, log, consumer, run, poll } = setUp({ group: 'g' });
    append(log, ...range(0, 6));
    consumer.subscribe('t');
    const seen: (string | null)[] = [];
    const loop = async () => {
      for await (const { value } of consumer) {
        seen.push(value);
        if (value === '3') break;
      }
    };
    await run(loop());
    expect(seen).toEqual(['0', '1', '2', '3']);
    await run(consumer.close());
    expect(committedAt(fake, topic.topicId)).toBe(3);
    await expect(poll()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('closing a consumer ends its for await', async () => {
    const { fake, consumer, run } = setUp({ group: 'g' });
    consumer.subscribe('t');
    const loop = async () => {
      for await (const _ of consumer) throw new Error('there is nothing to read');
      return 'ended';
    };
    const ended = loop();
    await fake.world.run(500);
    await run(consumer.close());
    expect(await run(ended)).toBe('ended');
  });

  test('manual commits: everything handed out, or what the caller says; never overtaking', async () => {
    const { fake, topic, log, consumer, run, poll } = setUp({ group: 'g', autoCommit: false });
    append(log, ...range(0, 6));
    consumer.subscribe('t');
    expect((await poll(5000)).length).toBe(6);
    let slow = true;
    fake.fault = (api) => {
      const isFirst = api === 'OffsetCommit' && slow;
      if (isFirst) slow = false;
      return isFirst ? { kind: 'lose-request' } : { kind: 'ok' };
    };
    const results: (Error | undefined)[] = [];
    consumer.commitAsync([{ ...P0, offset: 2 }], (error) => results.push(error));
    consumer.commitAsync([{ ...P0, offset: 4 }], (error) => results.push(error));
    await run(consumer.commitSync([{ ...P0, offset: 5, metadata: 'note' }]));
    expect(results).toEqual([undefined, undefined]);
    expect(await run(consumer.committed([P0]))).toMatchObject([{ offset: 5, metadata: 'note' }]);
    await run(consumer.commitSync());
    expect(committedAt(fake, topic.topicId)).toBe(6);
    await run(consumer.close());
  });

  test('a member that was expired commits no more, is told what it lost, and rejoins', async () => {
    const { fake, log, consumer, run, poll } = setUp({ group: 'g', autoCommit: false });
    append(log, '0');
    const events: string[] = [];
    consumer.subscribe('t', {
      onAssigned: (partitions) => void events.push(`assigned ${partitions.length}`),
      onLost: (partitions) => void events.push(`lost ${partitions.length}`),
    });
    expect(await poll(5000)).toEqual(['0']);
    fake.coordinator.members.clear();
    await expect(run(consumer.commitSync())).rejects.toMatchObject({
      code: 'COMMIT_FAILED',
      retriable: false,
    });
    await fake.world.run(fake.nowMs + 500);
    expect(await poll(5000)).toEqual(['0']);
    expect(events).toEqual(['assigned 1', 'lost 1', 'assigned 1']);
    await run(consumer.close());
  });

  test('a coordinator that moves, by refusal or by silence, is found again', async () => {
    const { fake, topic, log, consumer, run, poll } = setUp({ group: 'g', autoCommit: false });
    append(log, '0');
    consumer.subscribe('t');
    expect(await poll(5000)).toEqual(['0']);
    fake.coordinatorNode = 2;
    await run(consumer.commitSync());
    fake.fault = (_, nodeId) => ({ kind: nodeId === 2 ? 'hang' : 'ok' });
    fake.world.schedule(500, 'move', () => {
      fake.coordinatorNode = 3;
    });
    const before = fake.nowMs;
    await run(consumer.commitSync([{ ...P0, offset: 1 }]));
    expect(fake.nowMs - before).toBeLessThan(4000);
    expect(committedAt(fake, topic.topicId)).toBe(1);
    await run(consumer.close());
  });

  test('two members share, and a partition moves only after its records are committed', async () => {
    const { fake, topic, log, cluster, consumer, run, poll } = setUp({ group: 'g' }, 2);
    append(log, '0');
    append(topic.partitions[1], '1');
    const events: string[] = [];
    consumer.subscribe('t', { onRevoked: () => void events.push('revoked') });
    while (events.length === 0 && consumer.assignment().length < 2) await poll(500);
    await poll(500);
    const second = new Consumer(cluster, { group: 'g', value: string });
    second.subscribe('t');
    const secondPoll = second.poll(4000);
    // The first takes its time: until it polls, nothing is revoked, so nothing is granted.
    await fake.world.run(fake.nowMs + 1000);
    expect([events, second.assignment()]).toEqual([[], []]);
    await poll(200);
    expect(events).toEqual(['revoked']);
    expect(fake.coordinator.committed.size).toBeGreaterThan(0);
    expect((await run(secondPoll)).length).toBe(0);
    expect(consumer.assignment().length + second.assignment().length).toBe(2);
    await Promise.all([run(consumer.close()), run(second.close())]);
  });
});

test('serdes: any object of the shape will do', async () => {
  const celsius: Serde<{ degrees: number }> = {
    serialize: ({ degrees }) => new Uint8Array([degrees]),
    deserialize: ([degrees = 0]) => ({ degrees }),
  };
  expect(celsius.deserialize(celsius.serialize({ degrees: 21 }, 't'), 't')).toEqual({ degrees: 21 });
  expect(string.deserialize(string.serialize('größer', 't'), 't')).toBe('größer');
  expect(() => string.deserialize(new Uint8Array([0xff]), 't')).toThrow();
  expect(json<{ a: number }>().deserialize(json().serialize({ a: 1 }, 't'), 't')).toEqual({ a: 1 });
  expect(() => json().serialize(undefined, 't')).toThrow(/no JSON form/);
});
