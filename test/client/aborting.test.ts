import { describe, expect, test } from 'vitest';
import { Admin } from '../../src/client/admin.ts';
import { Consumer } from '../../src/client/consumer.ts';
import { Producer } from '../../src/client/producer.ts';
import { FakeCluster } from './support/fake-cluster.ts';

const setUp = () => {
  const fake = new FakeCluster(5);
  const topic = fake.addTopic('t', 1);
  const controller = new AbortController();
  const abortIn = (ms: number) =>
    fake.world.schedule(ms, 'abort', () => controller.abort(new Error('enough')));
  return { fake, topic, cluster: fake.connect(), signal: controller.signal, abortIn, controller };
};
const aborted = expect.objectContaining({
  code: 'ABORTED',
  cause: expect.objectContaining({ message: 'enough' }),
});

describe('an AbortSignal', () => {
  test('ends a send; what is in no batch yet is surely not written', async () => {
    const { fake, topic, cluster, signal, abortIn } = setUp();
    const producer = new Producer(cluster, { bufferBytesMax: 500 });
    fake.fault = (api) => ({ kind: 'ok', delayMs: api === 'Produce' ? 1_000 : 1 });
    const first = producer.send({ topic: 't', value: new Uint8Array(400) }, { signal });
    const waiting = producer.send({ topic: 't', value: new Uint8Array(200) }, { signal });
    const other = producer.send({ topic: 't', value: new Uint8Array(100) });
    abortIn(200);
    const results = await fake.world.settle(Promise.allSettled([first, waiting, other]));
    expect(results).toMatchObject([
      { reason: { code: 'ABORTED', maybeWritten: true } },
      { reason: { code: 'ABORTED', maybeWritten: false } },
      { status: 'fulfilled' },
    ]);
    expect(topic.partitions[0]?.values().map(({ length }) => length)).toEqual([400, 100]);
    expect(producer.bufferedBytes).toBe(0);
    await expect(producer.send({ topic: 't', value: 'v' }, { signal })).rejects.toEqual(aborted);
    await expect(producer.sendMany([{ topic: 't', value: 'v' }], { signal })).rejects.toMatchObject({
      cause: aborted,
    });
    await fake.world.settle(producer.close());
  });

  test('ends a flush, and the records go on', async () => {
    const { fake, cluster, signal, abortIn } = setUp();
    const producer = new Producer(cluster, {});
    fake.fault = (api) => ({ kind: 'ok', delayMs: api === 'Produce' ? 1_000 : 1 });
    const sent = producer.send({ topic: 't', value: 'v' });
    abortIn(100);
    await expect(fake.world.settle(producer.flush({ signal }))).rejects.toEqual(aborted);
    expect((await fake.world.settle(sent)).offset).toBe(0);
    await fake.world.settle(producer.close());
  });

  test('ends a poll, a position and a commit', async () => {
    for (const call of ['poll', 'position', 'commit'] as const) {
      const { fake, cluster, signal, abortIn } = setUp();
      const consumer = new Consumer(cluster, { group: 'g', autoOffsetReset: 'latest' });
      await fake.world.settle(consumer.assign([{ topic: 't', partition: 0 }]));
      fake.fault = (api) =>
        ['ListOffsets', 'OffsetCommit', 'FindCoordinator'].includes(api) ? { kind: 'hang' } : { kind: 'ok' };
      abortIn(300);
      const at = { topic: 't', partition: 0 };
      const made: Record<typeof call, () => Promise<unknown>> = {
        poll: () => consumer.poll(10_000, { signal }),
        position: () => consumer.position(at, { signal }),
        commit: () => consumer.commitSync([{ ...at, offset: 0 }], { signal }),
      };
      await expect(fake.world.settle(made[call]())).rejects.toEqual(aborted);
      fake.fault = () => ({ kind: 'ok' });
      await fake.world.settle(consumer.close());
    }
  });

  test('ends an operation of the administrator', async () => {
    const { fake, cluster, signal, abortIn } = setUp();
    fake.fault = () => ({ kind: 'hang' });
    abortIn(100);
    await expect(fake.world.settle(new Admin(cluster).with({ signal }).listTopics())).rejects.toEqual(
      aborted,
    );
  });
});

test('what the controller says of an unknown topic is final', async () => {
  const { fake, cluster } = setUp();
  const startedMs = fake.nowMs;
  await expect(fake.world.settle(new Admin(cluster).createPartitions('nowhere', 3))).rejects.toMatchObject({
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
  });
  expect(fake.nowMs - startedMs).toBeLessThan(1_000);
});

describe('a consumer', () => {
  test('moves to a time, and to the end where nothing is that young', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, {});
    const records = Array.from({ length: 10 }, (_, i) => ({
      topic: 't',
      value: `${i}`,
      timestamp: 1_000 + i * 10,
    }));
    await fake.world.settle(producer.sendMany(records));
    const consumer = new Consumer(cluster, {});
    const at = { topic: 't', partition: 0 };
    await fake.world.settle(consumer.assign([at]));
    expect(
      await fake.world.settle(
        consumer.offsetsForTimes([1_035, 9_999].map((timestamp) => ({ ...at, timestamp }))),
      ),
    ).toEqual([expect.objectContaining({ offset: 4, timestamp: 1_040 }), undefined]);
    await fake.world.settle(consumer.seekToTimestamp(1_035));
    expect((await fake.world.settle(consumer.poll()))[0]?.offset).toBe(4);
    await fake.world.settle(consumer.seekToTimestamp(9_999));
    expect(await fake.world.settle(consumer.position(at))).toBe(10);
    await expect(consumer.seekToTimestamp(-1)).rejects.toMatchObject({ code: 'INVALID_STATE' });
    await fake.world.settle(Promise.all([producer.close(), consumer.close()]));
  });

  test('unsubscribes: commits, leaves its group, and may subscribe or assign again', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, {});
    await fake.world.settle(producer.send({ topic: 't', value: 'v' }));
    const consumer = new Consumer(cluster, { group: 'g', autoOffsetReset: 'earliest' });
    const revoked: unknown[] = [];
    consumer.subscribe('t', { onRevoked: (partitions) => void revoked.push(...partitions) });
    while ((await fake.world.settle(consumer.poll(100))).length === 0);
    await fake.world.settle(consumer.unsubscribe());
    const at = { topic: 't', partition: 0 };
    expect(revoked).toEqual([at]);
    expect(consumer.assignment()).toEqual([]);
    expect(await fake.world.settle(consumer.committed([at]))).toMatchObject([{ offset: 1 }]);
    await expect(consumer.poll()).rejects.toMatchObject({ code: 'INVALID_STATE' });
    consumer.subscribe('t');
    while (consumer.assignment().length === 0) await fake.world.settle(consumer.poll(100));
    await fake.world.settle(consumer.unsubscribe());
    await fake.world.settle(consumer.assign([at]));
    expect(consumer.assignment()).toEqual([at]);
    await fake.world.settle(Promise.all([producer.close(), consumer.close()]));
  });
});
