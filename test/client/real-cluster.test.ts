/** What only a real broker proves: that it takes what the producer makes of records, and answers what the consumer asks. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Odradek, type OffsetSpec, string } from '../../src/client/node.ts';
import { startCluster } from '../../src/testing/index.ts';

let cluster: Awaited<ReturnType<typeof startCluster>>;
let client: Odradek;
beforeAll(async () => {
  cluster = await startCluster({ nodes: 1 });
  client = new Odradek({ bootstrap: cluster.bootstrap });
});
afterAll(async () => {
  await client.close();
  await cluster.stop();
});

const VALUES = Array.from(
  { length: 2_000 },
  (_, i) => `flight ${i} is in the air over the same fields as the last`,
);
const partition = (topic: string) => ({ topic, partition: 0 });

async function readAll(topic: string, count: number): Promise<string[]> {
  await using consumer = client.consumer<Uint8Array, string>({ from: 'earliest', value: string });
  await consumer.assign([partition(topic)]);
  const values: string[] = [];
  while (values.length < count) for (const { value } of await consumer.poll()) values.push(value ?? '');
  return values;
}

describe('against a broker', () => {
  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)(
    '%s: written, checked by it, and read',
    async (compression) => {
      const topic = `packed-${compression}`;
      await client.admin().createTopic({ name: topic, partitions: 1, replicationFactor: 1 });
      await using producer = client.producer({ compression });
      const places = await producer.sendMany(VALUES.map((value) => ({ topic, value })));
      expect(places.map(({ offset }) => offset)).toEqual(VALUES.map((_, i) => i));
      expect(await readAll(topic, VALUES.length)).toEqual(VALUES);
      const { compressionRatio } = producer.metrics();
      if (compression === 'none') expect(compressionRatio).toBe(1);
      else expect(compressionRatio).toBeLessThan(0.5);
    },
  );

  test.each(['none', 'gzip'] as const)(
    'offsets by time and of the largest timestamp, inside batches too: %s',
    async (compression) => {
      const topic = `times-${compression}`;
      const admin = client.admin();
      await admin.createTopic({ name: topic, partitions: 1, replicationFactor: 1 });
      const find = async (spec: OffsetSpec) => (await admin.listOffsets([partition(topic)], spec))[0];
      expect(await find('maxTimestamp')).toMatchObject({ offset: -1, timestamp: -1, leaderEpoch: -1 });
      await using producer = client.producer({ compression });
      // Two batches; the largest timestamp is in the middle of the first.
      for (const timestamps of [
        [1000, 9000, 2000, 9000],
        [3000, 8000],
      ])
        await producer.sendMany(
          timestamps.map((timestamp) => ({ topic, timestamp, value: 'x'.repeat(100) })),
        );
      expect(await find('maxTimestamp')).toMatchObject({ offset: 1, timestamp: 9000, leaderEpoch: 0 });
      expect(await find({ timestamp: 1001 })).toMatchObject({ offset: 1, timestamp: 9000 });
      expect(await find({ timestamp: 9001 })).toMatchObject({ offset: -1, timestamp: -1 });
      expect(await find('earliest')).toMatchObject({ offset: 0, timestamp: -1, leaderEpoch: 0 });
      expect(await find('latest')).toMatchObject({ offset: 6, timestamp: -1, leaderEpoch: 0 });
    },
  );

  test('batches that are too large for the topic are split until they fit', async () => {
    const topic = 'narrow';
    const configs = { 'max.message.bytes': '2000' };
    await client.admin().createTopic({ name: topic, partitions: 1, replicationFactor: 1, configs });
    await using producer = client.producer();
    await producer.sendMany(VALUES.map((value) => ({ topic, value })));
    expect(producer.metrics().batchesSplit).toBeGreaterThan(10);
    expect(await readAll(topic, VALUES.length)).toEqual(VALUES);
  });

  test('a partition that is added while its records wait', async () => {
    const topic = 'growing';
    await client.admin().createTopic({ name: topic, partitions: 1, replicationFactor: 1 });
    await using producer = client.producer();
    await producer.send({ topic, value: 'known' });
    const early = producer.send({ topic, partition: 1, value: 'early' });
    await client.admin().createPartitions(topic, 2);
    expect(await early).toMatchObject({ partition: 1, offset: 0 });
  });

  test('positions by time, at the ends, and paused', async () => {
    const topic = 'timed';
    await client.admin().createTopic({ name: topic, partitions: 1, replicationFactor: 1 });
    await using producer = client.producer();
    const startMs = Date.now() - 100_000;
    await producer.sendMany(
      VALUES.slice(0, 100).map((value, i) => ({ topic, value, timestamp: startMs + i * 1_000 })),
    );
    await using consumer = client.consumer({ from: 'earliest', pollRecordsMax: 10 });
    const at = partition(topic);
    await consumer.assign([at]);
    expect((await consumer.poll()).map(({ offset }) => offset)).toEqual(
      Array.from({ length: 10 }, (_, i) => i),
    );
    await consumer.seekToTimestamp(startMs + 41_500);
    expect((await consumer.poll())[0]).toMatchObject({ offset: 42, timestamp: startMs + 42_000 });
    consumer.seekToEnd();
    expect(await consumer.position(at)).toBe(100);
    consumer.seekToBeginning();
    consumer.pause([at]);
    expect(await consumer.poll(50)).toEqual([]);
    consumer.resume([at]);
    expect((await consumer.poll())[0]?.offset).toBe(0);
    await consumer.seekToTimestamp(startMs + 1_000_000);
    expect(await consumer.position(at)).toBe(100);
    expect(consumer.metrics().lag).toEqual([{ ...at, lag: 0 }]);
  });

  test('the client tells of connections, and counts them', async () => {
    await using own = new Odradek({ bootstrap: cluster.bootstrap });
    const nodes: string[] = [];
    own.on('connected', ({ node }) => nodes.push(node));
    await own.admin().listTopics();
    expect(nodes).toHaveLength(1);
    expect(own.metrics()).toMatchObject({
      connections: 1,
      connects: 1,
      requestsInFlight: 0,
      requestsFailed: 0,
    });
    expect(own.metrics().requestLatencyMs.count).toBe(1);
  });
});
