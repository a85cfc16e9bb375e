import { describe, expect, test } from 'vitest';
import { roundRobin } from '../../src/client/partitioning.ts';
import { Producer } from '../../src/client/producer.ts';
import { FakeCluster } from './support/fake-cluster.ts';

const setUp = (partitions = 3) => {
  const fake = new FakeCluster(7);
  const topic = fake.addTopic('t', partitions);
  return { fake, topic, cluster: fake.connect() };
};
const counts = (places: readonly { readonly partition: number }[], partitions: number): number[] =>
  Array.from({ length: partitions }, (_, i) => places.filter(({ partition }) => partition === i).length);

describe('where records go', () => {
  test('without a key: to one partition for a batch, then to another, evenly in the long run', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, { batchBytes: 1_000 });
    const records = Array.from({ length: 3_000 }, () => ({ topic: 't', value: new Uint8Array(36) }));
    const places = await fake.world.settle(producer.sendMany(records));
    // With what a record costs besides, ten make a batch.
    const runs = places.filter(({ partition }, i) => partition !== places[i - 1]?.partition).length;
    expect(runs).toBeLessThan(310);
    expect(runs).toBeGreaterThan(100);
    for (const count of counts(places, 3)) expect(count).toBeGreaterThan(700);
    await fake.world.settle(producer.close());
  });

  test('without a key: not to a partition without a leader, nor more than it can take to a slow one', async () => {
    const { fake, topic, cluster } = setUp();
    topic.partitions.forEach((log, i) => {
      log.leader = i === 1 ? -1 : log.leader;
    });
    const producer = new Producer(cluster, { batchBytes: 1_000 });
    const sent = producer.sendMany(
      Array.from({ length: 100 }, () => ({ topic: 't', value: new Uint8Array(36) })),
    );
    expect(counts(await fake.world.settle(sent), 3)[1]).toBe(0);

    // Node 3, which leads partition 2, takes its time.
    fake.fault = (api, nodeId) => ({ kind: 'ok', delayMs: api === 'Produce' && nodeId === 3 ? 400 : 1 });
    const places: { partition: number }[] = [];
    for (let i = 0; i < 100; i++) {
      const batch = Array.from({ length: 10 }, () => ({ topic: 't', value: new Uint8Array(36) }));
      void producer.sendMany(batch).then((more) => places.push(...more));
      await fake.world.settle(new Promise<void>((resolve) => fake.world.schedule(20, 'pause', resolve)));
    }
    await fake.world.settle(producer.flush());
    const [fast = 0, , slow = 0] = counts(places, 3);
    expect(slow).toBeLessThan(fast / 2);
    await fake.world.settle(producer.close());
  });

  test('in turn, if asked to; where a partitioner says; and by default where it says nothing', async () => {
    const { fake, cluster } = setUp();
    const inTurn = new Producer(cluster, { partitioner: roundRobin() });
    const records = Array.from({ length: 7 }, () => ({ topic: 't', key: 'k', value: 'v' }));
    const places = await fake.world.settle(inTurn.sendMany(records));
    expect(places.map(({ partition }) => partition)).toEqual([0, 1, 2, 0, 1, 2, 0]);

    const own = new Producer<string, string>(cluster, {
      partitioner: ({ record, partitionCount }) =>
        record.key === 'last' ? partitionCount - 1 : record.key === 'bad' ? 1.5 : undefined,
    });
    expect((await fake.world.settle(own.send({ topic: 't', key: 'last', value: '' }))).partition).toBe(2);
    // Java's place of this key.
    expect((await fake.world.settle(own.send({ topic: 't', key: 'foobar', value: '' }))).partition).toBe(
      (await fake.world.settle(new Producer(cluster, {}).send({ topic: 't', key: 'foobar', value: '' })))
        .partition,
    );
    await expect(fake.world.settle(own.send({ topic: 't', key: 'bad', value: '' }))).rejects.toMatchObject({
      code: 'INVALID_RECORD',
    });
  });

  test('a partition that was just added is waited for, in order, and holds up no other', async () => {
    const { fake, topic, cluster } = setUp(1);
    const producer = new Producer<string, string>(cluster, {});
    await fake.world.settle(producer.send({ topic: 't', value: 'first' }));
    const late = [0, 1, 2].map((i) => producer.send({ topic: 't', partition: 1, value: `late ${i}` }));
    expect((await fake.world.settle(producer.send({ topic: 't', partition: 0, value: 'now' }))).offset).toBe(
      1,
    );
    fake.addTopic('other', 1);
    topic.partitions.push(...fake.addTopic('spare', 1).partitions);
    expect((await fake.world.settle(Promise.all(late))).map(({ offset }) => offset)).toEqual([0, 1, 2]);
    expect(topic.partitions[1]?.values()).toEqual(['late 0', 'late 1', 'late 2']);
    await fake.world.settle(producer.close());
  });
});
