import { describe, expect, test } from 'vitest';
import { string } from '../../src/client/index.ts';
import { type ClusterOptions, startCluster } from '../../src/testing/index.ts';

const sizes = [1, 3] as const;
const storages = ['memory', 'folder'] as const;
const kinds = sizes.flatMap((nodes) => storages.map((storage) => ({ nodes, storage })));

describe.each(kinds)('a cluster of $nodes with storage $storage', (options: ClusterOptions) => {
  test('serves producers and consumers as soon as it is handed over', async () => {
    await using cluster = await startCluster({ ...options, topics: ['orders'] });
    expect(cluster.nodes.map(({ state, waitingFor }) => [state, waitingFor])).toEqual(
      cluster.nodes.map(() => ['running', undefined]),
    );
    for (const { url } of cluster.nodes) {
      const response = await fetch(`${url.replace('ws:', 'http:')}/readyz`);
      expect([response.status, await response.text()]).toEqual([200, 'ready\n']);
    }
    const client = cluster.client();
    await client.producer().send({ topic: 'orders', key: 'a', value: 'one' });
    const consumer = client.consumer({ group: 'readers', value: string, autoOffsetReset: 'earliest' });
    consumer.subscribe('orders');
    expect((await consumer.poll(10_000)).map(({ value }) => value)).toEqual(['one']);
    await consumer.commitSync();
  });

  test('keeps its data and its addresses when every node is restarted', async () => {
    await using cluster = await startCluster({ ...options, topics: ['orders'] });
    const { bootstrap } = cluster;
    const client = cluster.client();
    await client.producer().send({ topic: 'orders', value: 'before' });
    for (const node of cluster.nodes) await node.kill();
    await Promise.all(cluster.nodes.map((node) => node.start()));
    await cluster.untilHealthy();
    expect(cluster.bootstrap).toBe(bootstrap);
    await client.producer().send({ topic: 'orders', value: 'after' });
    const consumer = client.consumer({ value: string, autoOffsetReset: 'earliest' });
    consumer.assign([{ topic: 'orders', partition: 0 }]);
    const seen: (string | null)[] = [];
    while (seen.length < 2) for (const { value } of await consumer.poll(10_000)) seen.push(value);
    expect(seen).toEqual(['before', 'after']);
  });
});

test('topics get as many replicas as there are nodes, and of three two must have a write, unless told otherwise', async () => {
  await using cluster = await startCluster({
    nodes: 3,
    topics: ['plain', { name: 'wide', partitions: 4, replicationFactor: 2 }],
    config: { topicDefaults: { partitions: 2 } },
  });
  const admin = cluster.client().admin();
  const [plain, wide] = await admin.describeTopics(['plain', 'wide']);
  expect(plain?.partitions.map(({ replicas }) => replicas.length)).toEqual([3, 3]);
  expect(wide?.partitions.map(({ replicas }) => replicas.length)).toEqual([2, 2, 2, 2]);
  const configs = await admin.describeConfigs({ topic: 'plain' });
  expect(configs.find(({ name }) => name === 'min.insync.replicas')?.value).toBe('2');
});

test('several clusters in one process know nothing of each other', async () => {
  const clusters = await Promise.all(
    ['one', 'two', 'three'].map((topic) => startCluster({ topics: [topic] })),
  );
  const lists = await Promise.all(clusters.map((cluster) => cluster.client().admin().listTopics()));
  expect(lists.map((list) => list.map(({ name }) => name))).toEqual([['one'], ['two'], ['three']]);
  expect(new Set(clusters.map(({ bootstrap }) => bootstrap)).size).toBe(3);
  await Promise.all(clusters.map((cluster) => cluster.stop()));
});

test('a config that cannot be used is refused with the key and what is wrong with it', async () => {
  await expect(startCluster({ config: { limits: { brokerHeartbeatMs: 1 } } })).rejects.toMatchObject({
    code: 'INVALID_CONFIG',
    message: expect.stringContaining('limits.brokerHeartbeatMs'),
  });
  await expect(startCluster({ nodes: 2 as 1 })).rejects.toThrow('1 or 3, not 2');
  await expect(startCluster({ storage: 'disk' as 'folder' })).rejects.toThrow("'memory' or a 'folder'");
  await expect(startCluster({ topic: 'orders' } as never)).rejects.toThrow('takes no topic, only nodes');
});

test('leaderOf and node name what there is', async () => {
  await using cluster = await startCluster({ topics: ['orders'] });
  expect(cluster.leaderOf('orders')).toBe(cluster.nodes[0]);
  expect(cluster.controller).toBe(cluster.node(1));
  expect(() => cluster.leaderOf('orders', 7)).toThrow('no partition orders-7');
  expect(() => cluster.node(4)).toThrow('nodes 1 to 1');
});

test('stop may be called twice; afterwards there are no clients to be had', async () => {
  const cluster = await startCluster();
  const stopped = cluster.stop();
  expect(cluster.stop()).toBe(stopped);
  await stopped;
  expect(() => cluster.client()).toThrow('stopped');
});
