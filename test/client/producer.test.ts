import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClientError, DeliveryError } from '../../src/client/errors.ts';
import { Producer } from '../../src/client/producer.ts';
import type { RecordMetadata } from '../../src/client/producer-options.ts';
import { FakeCluster } from './support/fake-cluster.ts';
import type { Fault } from './support/fake-link.ts';
import type { FakeLog } from './support/fake-log.ts';

const setUp = (seed: string | number = 1, partitions = 3) => {
  const fake = new FakeCluster(seed);
  const topic = fake.addTopic('t', partitions);
  const cluster = fake.connect();
  return { fake, topic, cluster };
};

describe('producer', () => {
  test('delivers records to the partition of their key, in order, and says where', async () => {
    const { fake, topic, cluster } = setUp();
    const producer = new Producer<string, string>(cluster, {});
    const sent = Array.from({ length: 20 }, (_, i) =>
      producer.send({ topic: 't', key: 'k', value: `v${i}` }),
    );
    const places = await fake.world.settle(Promise.all(sent));
    expect(new Set(places.map(({ partition }) => partition)).size).toBe(1);
    expect(places.map(({ offset }) => offset)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(topic.partitions[places[0]?.partition ?? -1]?.values()).toEqual(places.map((_, i) => `v${i}`));
    await fake.world.settle(producer.close());
  });

  test('sendMany answers with one promise, in order', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, {});
    const records = Array.from({ length: 6 }, (_, i) => ({ topic: 't', partition: i % 2, value: `${i}` }));
    const places = await fake.world.settle(producer.sendMany(records));
    expect(places.map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
      [0, 2],
      [1, 2],
    ]);
    expect(await fake.world.settle(producer.sendMany([]))).toEqual([]);
    await fake.world.settle(producer.close());
  });

  test('waits for a topic that appears later', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, {});
    const sent = producer.send({ topic: 'later', value: 'v' });
    fake.world.schedule(700, 'create topic', () => fake.addTopic('later', 1));
    expect((await fake.world.settle(sent)).offset).toBe(0);
    await fake.world.settle(producer.close());
  });

  test('refuses a record for a topic that never appears, a bad partition, a bad value', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer<string, unknown>(cluster, {
      maxBlockMs: 1000,
      value: { serialize: (value) => (value as () => Uint8Array)() },
    });
    const bytes = () => new Uint8Array(1);
    await expect(fake.world.settle(producer.send({ topic: 'never', value: bytes }))).rejects.toMatchObject({
      code: 'UNKNOWN_TOPIC_OR_PARTITION',
    });
    await expect(
      fake.world.settle(producer.send({ topic: 't', partition: 7, value: bytes })),
    ).rejects.toMatchObject({ code: 'INVALID_RECORD' });
    await expect(fake.world.settle(producer.send({ topic: 't', value: 1 }))).rejects.toMatchObject({
      code: 'SERIALIZATION_FAILED',
    });
    await fake.world.settle(producer.close());
    await expect(producer.send({ topic: 't', value: bytes })).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('refuses what is neither text nor bytes, as value or in a header, and what is no time', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, {});
    const odd = [
      { value: 12 },
      { value: {} },
      { key: true, value: 'v' },
      { value: 'v', headers: { a: 1 } },
      { value: 'v', timestamp: -1 },
      { value: 'v', timestamp: 1.5 },
    ];
    for (const record of odd) {
      const sent = producer.send({ topic: 't', ...record } as never);
      await expect(fake.world.settle(sent)).rejects.toMatchObject({ code: 'SERIALIZATION_FAILED' });
    }
    await fake.world.settle(producer.send({ topic: 't', value: Buffer.from('v') }));
    expect(producer.bufferedBytes).toBe(0);
    await fake.world.settle(producer.close());
  });

  test('waits in line when the buffer is full, and refuses what does not fit in the line', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, { bufferBytesMax: 1000 });
    const value = new Uint8Array(400);
    const sent = Array.from({ length: 6 }, () => producer.send({ topic: 't', value }));
    const results = await fake.world.settle(Promise.allSettled(sent));
    // Two fit into the buffer, two wait, and the rest is one too many.
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ]);
    expect((results[5] as PromiseRejectedResult).reason).toMatchObject({
      code: 'BUFFER_EXHAUSTED',
      retriable: true,
    });
    await fake.world.settle(producer.close());
  });

  test('ready() lets a loop run at the pace of the cluster', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, { bufferBytesMax: 2000 });
    let delivered = 0;
    const run = async () => {
      for (let i = 0; i < 100; i++) {
        await producer.ready();
        expect(producer.bufferedBytes).toBeLessThan(2000);
        void producer.send({ topic: 't', value: new Uint8Array(300) }).then(() => delivered++);
      }
      await producer.flush();
    };
    await fake.world.settle(run());
    expect(delivered).toBe(100);
    await fake.world.settle(producer.close());
  });

  test('flush sends without lingering and resolves when all is acknowledged', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, { lingerMs: 10_000 });
    let done = false;
    void producer.send({ topic: 't', value: 'v' }).then(() => {
      done = true;
    });
    await fake.world.run(fake.nowMs + 1000);
    expect(done).toBe(false);
    const before = fake.nowMs;
    await fake.world.settle(producer.flush());
    expect(done).toBe(true);
    expect(fake.nowMs - before).toBeLessThan(100);
    await fake.world.settle(producer.close());
  });

  test('a delivery timeout is a typed error that admits what is not known', async () => {
    const { fake, topic, cluster } = setUp(1, 1);
    const producer = new Producer(cluster, { deliveryTimeoutMs: 2000, requestTimeoutMs: 500 });
    fake.fault = (api) => (api === 'Produce' ? { kind: 'lose-reply' } : { kind: 'ok' });
    const error = await fake.world.settle(producer.send({ topic: 't', value: 'v' })).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DeliveryError);
    expect(error).toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: true, topic: 't', partition: 0 });
    expect(topic.partitions[0]?.values()).toEqual(['v']);
    await fake.world.settle(producer.close());
  });

  test('an error that no retry helps is reported at once, and what follows is delivered under a new epoch', async () => {
    const { fake, topic, cluster } = setUp(1, 1);
    const producer = new Producer(cluster, { lingerMs: 0 });
    let refusals = 1;
    fake.fault = (api) =>
      api === 'Produce' && refusals-- > 0 ? { kind: 'refuse', error: 'MESSAGE_TOO_LARGE' } : { kind: 'ok' };
    const first = producer.send({ topic: 't', value: 'too large' });
    await expect(fake.world.settle(first)).rejects.toMatchObject({
      code: 'DELIVERY_FAILED',
      maybeWritten: false,
    });
    // Its sequence number is missing now: the broker says so, and the producer begins anew.
    const second = await fake.world.settle(producer.send({ topic: 't', value: 'fine' }));
    expect(second.offset).toBe(0);
    expect(topic.partitions[0]?.values()).toEqual(['fine']);
    await fake.world.settle(producer.close());
  });

  test('a silent leader delays only until its successor is known', async () => {
    const { fake, topic, cluster } = setUp(1, 1);
    const producer = new Producer(cluster, {});
    await fake.world.settle(producer.send({ topic: 't', value: '0' }));
    fake.fault = (_, nodeId) => ({ kind: nodeId === 1 ? 'hang' : 'ok' });
    const sent = producer.send({ topic: 't', value: '1' });
    fake.world.schedule(200, 'election', () => fake.moveLeader(topic.partitions[0] as FakeLog, 2));
    const before = fake.nowMs;
    await fake.world.settle(sent);
    expect(fake.nowMs - before).toBeLessThan(2500);
    await fake.world.settle(producer.close());
  });

  test("a dead leader's successor is found soon, however long the node itself is spared", async () => {
    for (const electedAfterMs of [100, 300, 450, 800, 1300]) {
      const { fake, topic, cluster } = setUp(electedAfterMs, 1);
      const producer = new Producer(cluster, {});
      await fake.world.settle(producer.send({ topic: 't', value: '0' }));
      fake.fault = (_, nodeId) => ({ kind: nodeId === 1 ? 'lose-request' : 'ok' });
      const sent = producer.send({ topic: 't', value: '1' });
      fake.world.schedule(electedAfterMs, 'election', () =>
        fake.moveLeader(topic.partitions[0] as FakeLog, 2),
      );
      const before = fake.nowMs;
      await fake.world.settle(sent);
      expect(fake.nowMs - before).toBeLessThan(electedAfterMs + 120);
      await fake.world.settle(producer.close());
    }
  });

  test('a new leader that refuses once is not spared for the failures of the one before (KIP-951)', async () => {
    const { fake, topic, cluster } = setUp(1, 1);
    const producer = new Producer(cluster, {});
    await fake.world.settle(producer.send({ topic: 't', value: '0' }));
    let refusals = 1;
    fake.fault = (api, nodeId) => {
      if (nodeId === 1) return { kind: 'lose-request' };
      const isRefused = api === 'Produce' && refusals-- > 0;
      return isRefused ? { kind: 'refuse', error: 'NOT_LEADER_OR_FOLLOWER' } : { kind: 'ok' };
    };
    const sent = producer.send({ topic: 't', value: '1' });
    fake.world.schedule(1300, 'election', () => fake.moveLeader(topic.partitions[0] as FakeLog, 2));
    const before = fake.nowMs;
    await fake.world.settle(sent);
    expect(refusals).toBeLessThan(1);
    expect(fake.nowMs - before).toBeLessThan(1500);
    await fake.world.settle(producer.close());
  });

  test('a broker that forgot the producer gets a new epoch, and every record once (KIP-360)', async () => {
    const { fake, topic, cluster } = setUp(1, 1);
    const producer = new Producer(cluster, { lingerMs: 0 });
    const log = topic.partitions[0] as FakeLog;
    await fake.world.settle(producer.send({ topic: 't', value: '0' }));
    log.producers.clear();
    const places = await fake.world.settle(
      Promise.all(['1', '2', '3'].map((value) => producer.send({ topic: 't', value }))),
    );
    expect(places.map(({ offset }) => offset)).toEqual([1, 2, 3]);
    expect(log.values()).toEqual(['0', '1', '2', '3']);
    await fake.world.settle(producer.close());
  });

  test('acks 0 resolves without an offset', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, { acks: 0 });
    expect((await fake.world.settle(producer.send({ topic: 't', value: 'v' }))).offset).toBe(-1);
    await fake.world.settle(producer.close());
  });

  test('options out of range are refused with a message that says what to change', () => {
    const { cluster } = setUp();
    expect(() => new Producer(cluster, { batchBytes: 0 })).toThrow(/batchBytes must be an integer from 1/);
    expect(() => new Producer(cluster, { acks: 1, idempotent: true })).toThrow(ClientError);
  });
});

const faultArbitrary: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Fault>({ kind: 'ok' }) },
  { weight: 2, arbitrary: fc.constant<Fault>({ kind: 'lose-request' }) },
  { weight: 2, arbitrary: fc.constant<Fault>({ kind: 'lose-reply' }) },
  { weight: 1, arbitrary: fc.constant<Fault>({ kind: 'hang' }) },
  { weight: 2, arbitrary: fc.nat(400).map((delayMs): Fault => ({ kind: 'late', delayMs })) },
  { weight: 2, arbitrary: fc.nat(60).map((delayMs): Fault => ({ kind: 'ok', delayMs })) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('NOT_ENOUGH_REPLICAS', 'NOT_LEADER_OR_FOLLOWER', 'REQUEST_TIMED_OUT', 'UNKNOWN_TOPIC_ID')
      .map((error): Fault => ({ kind: 'refuse', error: error as NonNullable<Fault['error']> })),
  },
);

type Event = { kind: 'move' | 'kill' | 'disconnect'; node: number; atMs: number };
const eventArbitrary: fc.Arbitrary<Event> = fc.record({
  kind: fc.constantFrom('move', 'kill', 'disconnect'),
  node: fc.integer({ min: 1, max: 3 }),
  atMs: fc.nat(4000),
});

test('whatever brokers do, each send settles once, and each acknowledged record is in the log once, in order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(faultArbitrary, { minLength: 1, maxLength: 60 }),
      fc.array(eventArbitrary, { maxLength: 6 }),
      fc.record({
        records: fc.integer({ min: 1, max: 120 }),
        lingerMs: fc.constantFrom(0, 5),
        batchBytes: fc.constantFrom(100, 400, 65_536),
        deliveryTimeoutMs: fc.constantFrom(3_000, 120_000),
      }),
      async (seed, faults, events, { records, ...options }) => {
        const fake = new FakeCluster(seed);
        const topic = fake.addTopic('t', 2);
        const cluster = fake.connect();
        let next = 0;
        fake.fault = (api) => (api === 'Produce' ? (faults[next++] ?? { kind: 'ok' }) : { kind: 'ok' });
        for (const { kind, node, atMs } of events) {
          fake.world.schedule(atMs, kind, () => {
            if (kind === 'move') for (const log of topic.partitions) fake.moveLeader(log, node);
            else if (kind === 'disconnect') fake.disconnect(node);
            else if (fake.down.size === 0) {
              fake.kill(node);
              fake.world.schedule(700, 'restart', () => fake.start(node));
            }
          });
        }
        const producer = new Producer(cluster, { ...options, requestTimeoutMs: 1_000 });
        const outcomes: { value: string; place?: RecordMetadata; settled: number }[] = [];
        const sends: Promise<void>[] = [];
        for (let i = 0; i < records; i++) {
          const outcome: (typeof outcomes)[number] = { value: `${i}`, settled: 0 };
          outcomes.push(outcome);
          fake.world.schedule(i * 20, 'send', () => {
            sends.push(
              producer.send({ topic: 't', partition: i % 2, value: outcome.value }).then(
                (place) => {
                  outcome.place = place;
                  outcome.settled++;
                },
                () => {
                  outcome.settled++;
                },
              ),
            );
          });
        }
        await fake.world.run(records * 20);
        await fake.world.settle(Promise.all(sends), 200_000);
        // Late requests may still arrive.
        await fake.world.run(fake.nowMs + 1_000);
        expect(outcomes.every(({ settled }) => settled === 1)).toBe(true);
        topic.partitions.forEach((log, partition) => {
          const values = log.values();
          expect(new Set(values).size).toBe(values.length);
          expect(values).toEqual([...values].sort((a, b) => Number(a) - Number(b)));
          for (const { value, place } of outcomes) {
            if (place?.partition === partition) expect(values[place.offset]).toBe(value);
          }
        });
        await fake.world.settle(producer.close());
        expect(producer.bufferedBytes).toBe(0);
        cluster.close();
      },
    ),
    { numRuns: 300 },
  );
});
