import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UndecidedChange } from '../../src/controller/pending-replies.ts';
import { KafkaError } from '../../src/protocol/errors.ts';
import { AlterPartition } from '../../src/protocol/messages/alter-partition.ts';
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts';
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts';
import { Vote } from '../../src/protocol/messages/vote.ts';
import { Harness } from './support/harness.ts';

describe('leadership', () => {
  test('elsewhere everything is refused, and no timer runs', async () => {
    const h = new Harness();
    h.depose();
    expect(h.shell.active).toBe(false);
    expect(h.time.pending).toBe(0);
    await expect(h.register(1)).rejects.toMatchObject({ code: 'NOT_CONTROLLER' });
    await expect(h.shell.propose([])).rejects.toMatchObject({ code: 'NOT_CONTROLLER' });
    expect(() => h.shell.speculativeImage()).toThrow();
    h.shell.brokerUnreachable(1);
    h.shell.onApplied(h.image);
  });

  test('an answer waits for its commit; what waits is refused when the leadership is lost', async () => {
    const h = new Harness();
    await h.startAll(1, 2, 3);
    h.autoCommit = false;
    let answered = false;
    const created = h.createTopic('t').finally(() => {
      answered = true;
    });
    await Promise.resolve();
    expect(answered).toBe(false);
    expect(h.shell.speculativeImage().topicByName('t')).toBeDefined();
    h.depose();
    // It may be committed all the same: not a refusal like any other.
    await expect(created).rejects.toBeInstanceOf(UndecidedChange);
    h.elect();
    expect(h.shell.speculativeImage().topicByName('t')).toBeUndefined();
    h.autoCommit = true;
    expect((await h.createTopic('t')).errorCode).toBe(0);
  });

  test('an answer that changes nothing waits for what it tells of', async () => {
    const h = new Harness();
    await h.startAll(1, 2, 3);
    h.autoCommit = false;
    const first = h.createTopic('t');
    let answered = false;
    const second = h.createTopic('t').finally(() => {
      answered = true;
    });
    await Promise.resolve();
    await Promise.resolve();
    expect(answered).toBe(false);
    h.commit();
    expect((await first).errorCode).toBe(0);
    expect((await second).errorCode).toBe(36);
  });

  test('a controller that was replaced and does not know it refuses nothing from its own image', async () => {
    const h = new Harness();
    await h.startAll(1, 2, 3);
    await h.createTopic('t');
    h.autoCommit = false;
    const refused = h.createTopic('t');
    h.shell.onNotLeader();
    await expect(refused).rejects.toMatchObject({ code: 'NOT_CONTROLLER' });
  });

  test('decisions pipelined over what is not committed yet all hold', async () => {
    const h = new Harness();
    await h.startAll(1, 2, 3);
    h.autoCommit = false;
    const created = h.createTopic('t');
    const deleted = h.call(DeleteTopics, {
      topics: [{ name: 't', topicId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
      timeoutMs: 1,
    });
    const again = h.createTopic('t');
    h.commit();
    expect([
      (await created).errorCode,
      (await deleted).responses[0]?.errorCode,
      (await again).errorCode,
    ]).toEqual([0, 0, 0]);
    expect(h.image.topicByName('t')?.id).toBe((await again).topicId);
  });

  test('too many waiting requests, and too long a wait, get clear retriable errors', async () => {
    const h = new Harness({ pendingRequestsMax: 1, requestTimeoutMs: 1_000 });
    await h.startAll(1, 2, 3);
    h.autoCommit = false;
    const waiting = h.createTopic('a');
    await expect(h.createTopic('b')).rejects.toMatchObject({
      code: 'THROTTLING_QUOTA_EXCEEDED',
      retriable: true,
    });
    const late = expect(waiting).rejects.toMatchObject({ code: 'REQUEST_TIMED_OUT', retriable: true });
    h.time.advance(1_200);
    await late;
    h.commit();
    expect(h.image.topicByName('a')).toBeDefined();
    expect(h.image.topicByName('b')).toBeUndefined();
  });

  test('a fencing that could not be appended is tried again, and so is a heartbeat', async () => {
    const h = new Harness();
    const [a] = await h.startAll(1, 2);
    h.refuse = new KafkaError('THROTTLING_QUOTA_EXCEEDED');
    h.shell.brokerUnreachable(1);
    h.time.advance(3_500);
    expect(h.shell.speculativeImage().brokers.every((broker) => !broker.fenced)).toBe(true);
    await expect(h.createTopic('t', { replicationFactor: 1 })).rejects.toMatchObject({ retriable: true });
    h.refuse = undefined;
    h.time.advance(100);
    h.commit();
    expect(h.image.brokers.every((broker) => broker.fenced)).toBe(true);
    h.refuse = new KafkaError('THROTTLING_QUOTA_EXCEEDED');
    if (a) await expect(h.heartbeat(a)).rejects.toMatchObject({ retriable: true });
    h.refuse = undefined;
    if (a) expect(await h.heartbeat(a)).toMatchObject({ isFenced: false });
    h.time.advance(3_200);
    h.commit();
    expect(h.image.brokers.get(1)?.fenced).toBe(true);
  });

  test('an API that the controller does not serve is refused', async () => {
    const h = new Harness();
    await expect(h.shell.handle(Vote, {} as never)).rejects.toMatchObject({ code: 'UNSUPPORTED_VERSION' });
  });

  test('a log that goes back is a broken invariant', async () => {
    const h = new Harness();
    await h.startAll(1, 2, 3);
    h.log.length = 2;
    await expect(h.createTopic('t')).rejects.toThrow();
    expect(h.crashed?.message).toContain('went back');
  });

  test('entries between those of the controller do not disturb it', async () => {
    const h = new Harness();
    h.log.push(new Uint8Array(0));
    const broker = await h.register(1);
    expect(broker.epoch).toBe(h.image.index);
    expect(h.shell.speculativeImage().brokers.get(1)?.epoch).toBe(broker.epoch);
    expect(await h.heartbeat(broker)).toMatchObject({ isFenced: false });
  });
});

describe('records of the group coordinator', () => {
  test('go through the same speculative image and resolve once applied', async () => {
    const h = new Harness();
    h.autoCommit = false;
    const applied = h.shell.propose([
      { type: 'Group', groupId: 'g', groupEpoch: 1, assignmentEpoch: 0, assignorName: '', emptySinceMs: -1 },
    ]);
    expect(h.shell.speculativeImage().groups.get('g')?.groupEpoch).toBe(1);
    expect(h.image.groups.size).toBe(0);
    h.commit();
    expect((await applied).groups.get('g')?.groupEpoch).toBe(1);
    const { index } = h.image;
    const read = h.shell.propose([]);
    h.commit();
    expect((await read).index).toBe(index + 1);
  });

  test('a record that cannot be encoded is refused and leaves no trace', async () => {
    const h = new Harness();
    const before = h.log.length;
    await expect(h.shell.propose([{ type: 'ProducerIds', nextProducerId: 1.5 }])).rejects.toThrow();
    expect(h.log.length).toBe(before);
    expect(h.shell.speculativeImage().nextProducerId).toBe(0);
    expect(h.crashed).toBeUndefined();
  });
});

test('whatever is asked, expected errors answer it and nothing crashes', async () => {
  const int = fc.integer({ min: -2, max: 4 });
  const name = fc.constantFrom('t', '__proto__', '', '..', 'u');
  const value = fc.option(fc.constantFrom('1', '-1', 'x', 'os'), { nil: null });
  const topic = fc.record({
    name,
    numPartitions: int,
    replicationFactor: int,
    assignments: fc.array(fc.record({ partitionIndex: int, brokerIds: fc.array(int) }), { maxLength: 2 }),
    configs: fc.array(fc.record({ name: fc.constantFrom('flush', 'retention.ms', 'x'), value }), {
      maxLength: 2,
    }),
  });
  const wanted = fc.record({
    partitionIndex: int,
    leaderEpoch: int,
    partitionEpoch: int,
    newIsrWithEpochs: fc.array(fc.record({ brokerId: int, brokerEpoch: int })),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(topic, { maxLength: 3 }),
      fc.array(wanted),
      fc.boolean(),
      async (topics, p, dry) => {
        const h = new Harness();
        const [a] = await h.startAll(1, 2, 3);
        await h.createTopic('t');
        await h.call(CreateTopics, { topics, timeoutMs: 1, validateOnly: dry });
        const { topicId } = h.partition();
        const request = { brokerId: 1, brokerEpoch: a?.epoch ?? 0, topics: [{ topicId, partitions: p }] };
        await h.call(AlterPartition, request);
        expect(h.crashed).toBeUndefined();
      },
    ),
    { numRuns: 150 },
  );
});
