/** What an application can watch a client do: events and metrics. */

import { describe, expect, test } from 'vitest';
import { Admin } from '../../src/client/admin.ts';
import type { ClientEvents } from '../../src/client/client-events.ts';
import { Consumer } from '../../src/client/consumer.ts';
import { Histogram } from '../../src/client/metrics.ts';
import { Producer } from '../../src/client/producer.ts';
import { FakeCluster } from './support/fake-cluster.ts';

const setUp = () => {
  const fake = new FakeCluster(11);
  const topic = fake.addTopic('t', 2);
  const cluster = fake.connect();
  const told: { readonly name: string; readonly event: object }[] = [];
  const names: (keyof ClientEvents)[] = [
    'connected',
    'leaderMoved',
    'throttled',
    'retry',
    'deliveryFailed',
    'rebalance',
    'assigned',
    'revoked',
  ];
  for (const name of names) cluster.events.on(name, (event) => told.push({ name, event }));
  return { fake, topic, cluster, told, named: (name: string) => told.filter((each) => each.name === name) };
};

describe('events', () => {
  test('a retry, a leader that moved, and records given up are told by producer and client', async () => {
    const { fake, topic, cluster, named } = setUp();
    const producer = new Producer(cluster, { deliveryTimeoutMs: 4_000, requestTimeoutMs: 500 });
    const own: object[] = [];
    const stop = producer.on('retry', (event) => own.push(event));
    await fake.world.settle(producer.send({ topic: 't', partition: 0, value: 'v' }));
    expect(named('connected').length).toBeGreaterThan(0);
    fake.kill(1);
    await fake.world.settle(producer.send({ topic: 't', partition: 0, value: 'v' }));
    expect(named('leaderMoved')[0]?.event).toMatchObject({ topic: 't', partition: 0, from: 1, to: 2 });
    expect(own.length).toBeGreaterThan(0);
    expect(own[0]).toMatchObject({ what: 'produce', topic: 't', partition: 0, attempts: 1 });
    expect(named('retry').map(({ event }) => event)).toEqual(expect.arrayContaining(own));
    stop();
    const before = own.length;
    fake.fault = (api) => ({ kind: api === 'Produce' ? 'hang' : 'ok' });
    await expect(
      fake.world.settle(producer.send({ topic: 't', partition: 1, value: 'v' })),
    ).rejects.toMatchObject({ code: 'DELIVERY_TIMEOUT', maybeWritten: true, advice: expect.any(String) });
    expect(named('deliveryFailed')[0]?.event).toMatchObject({ topic: 't', partition: 1, records: 1 });
    expect(own.length).toBe(before);
    expect(producer.metrics()).toMatchObject({ recordsSent: 2, recordsFailed: 1 });
    expect(producer.metrics().retries).toBeGreaterThan(0);
    expect(cluster.stats.snapshot().leadersMoved).toBe(1);
    expect(topic.partitions[0]?.values()).toHaveLength(2);
    await fake.world.settle(producer.close());
  });

  test('a rebalance is told once it is carried out, with what was assigned and revoked on the way', async () => {
    const { fake, cluster, named } = setUp();
    const consumer = new Consumer(cluster, { group: 'g', autoOffsetReset: 'earliest' });
    consumer.subscribe('t');
    while (consumer.assignment().length < 2) await fake.world.settle(consumer.poll(100));
    await fake.world.settle(consumer.poll(10));
    const both = [0, 1].map((partition) => ({ topic: 't', partition }));
    expect(named('assigned')[0]?.event).toEqual({ partitions: both });
    expect(named('rebalance')[0]?.event).toMatchObject({ group: 'g', partitions: both });
    expect(consumer.metrics().rebalances).toBe(1);
    await fake.world.settle(consumer.close());
  });

  test('a listener that throws disturbs nobody; a throttle is told', async () => {
    const { fake, cluster, named } = setUp();
    cluster.events.on('throttled', () => {
      throw new Error('a bad listener');
    });
    let last = 0;
    cluster.events.on('throttled', ({ throttleTimeMs }) => {
      last = throttleTimeMs;
    });
    fake.throttleTimeMs = 250;
    await fake.world.settle(new Admin(cluster).createPartitions('t', 3));
    expect(last).toBe(250);
    expect(named('throttled')[0]?.event).toMatchObject({ api: 'CreatePartitions', throttleTimeMs: 250 });
    expect(cluster.stats.snapshot().throttleTimeMs).toBe(250);
  });
});

describe('metrics', () => {
  test('producer and consumer count what they did, and the lag is per partition', async () => {
    const { fake, cluster } = setUp();
    const producer = new Producer(cluster, {});
    const records = Array.from({ length: 100 }, (_, i) => ({ topic: 't', partition: i % 2, value: 'value' }));
    await fake.world.settle(producer.sendMany(records));
    const sent = producer.metrics();
    expect(sent).toMatchObject({
      recordsSent: 100,
      recordsFailed: 0,
      requestsInFlight: 0,
      compressionRatio: 1,
    });
    expect(sent.recordsPerBatch).toMatchObject({ count: 2, sum: 100, mean: 50, max: 50 });
    expect(sent.deliveryLatencyMs.p99).toBeGreaterThan(0);
    expect(sent.bytesSent).toBe(sent.batchBytes.sum);

    const consumer = new Consumer(cluster, { from: 'earliest', pollRecordsMax: 30 });
    await fake.world.settle(consumer.assign([0, 1].map((partition) => ({ topic: 't', partition }))));
    expect(consumer.metrics().lag).toEqual(
      [0, 1].map((partition) => ({ topic: 't', partition, lag: undefined })),
    );
    expect(await fake.world.settle(consumer.poll())).toHaveLength(30);
    const { recordsConsumed, bytesConsumed, bytesFetched, lag } = consumer.metrics();
    expect({ recordsConsumed, bytesConsumed }).toEqual({ recordsConsumed: 30, bytesConsumed: 150 });
    expect(bytesFetched).toBeGreaterThan(150);
    expect(lag.reduce((sum, each) => sum + (each.lag ?? 50), 0)).toBe(70);
    expect(cluster.stats.snapshot().requests).toBeGreaterThan(3);
    await fake.world.settle(Promise.all([consumer.close(), producer.close()]));
  });

  test('quantiles are right to within a tenth', () => {
    const histogram = new Histogram();
    expect(histogram.snapshot()).toEqual({ count: 0, sum: 0, mean: 0, max: 0, p50: 0, p99: 0 });
    for (let i = 1; i <= 10_000; i++) histogram.observe(i / 10);
    const { count, max, mean, p50, p99 } = histogram.snapshot();
    expect({ count, max }).toEqual({ count: 10_000, max: 1_000 });
    expect(mean).toBeCloseTo(500.05);
    expect(Math.abs(p50 / 500 - 1)).toBeLessThan(0.1);
    expect(Math.abs(p99 / 990 - 1)).toBeLessThan(0.1);
  });
});
