import { rm, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { string } from '../../src/client/index.ts';
import { startCluster, type TestCluster } from '../../src/testing/index.ts';

/** Quick enough for a test to see a paused node being fenced. */
const QUICK = { limits: { brokerSessionTimeoutMs: 400, brokerHeartbeatMs: 50 } };

/** The values of a partition, read from its start until `count` have come. */
async function read(cluster: TestCluster, topic: string, count: number): Promise<string[]> {
  const consumer = cluster.client().consumer({ value: string, autoOffsetReset: 'earliest' });
  consumer.assign([{ topic, partition: 0 }]);
  const values: string[] = [];
  while (values.length < count) for (const { value } of await consumer.poll(10_000)) values.push(value ?? '');
  await consumer.close();
  return values;
}

/** Sends numbered records, one after the other, until told to stop; returns those that were acknowledged. */
function produce(cluster: TestCluster, topic: string): { stop(): Promise<string[]>; count(): number } {
  const producer = cluster.client().producer();
  const acknowledged: string[] = [];
  let isStopping = false;
  const done = (async () => {
    for (let n = 0; !isStopping; n += 1) {
      await producer.send({ topic, value: `${n}` });
      acknowledged.push(`${n}`);
    }
  })();
  return {
    count: () => acknowledged.length,
    stop: async () => {
      isStopping = true;
      await done;
      return acknowledged;
    },
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setImmediate(resolve));
}

describe.each(['memory', 'folder'] as const)('with storage %s', (storage) => {
  test('killing the leader while records are produced loses none that was acknowledged', async () => {
    await using cluster = await startCluster({ nodes: 3, storage, topics: ['orders'] });
    const production = produce(cluster, 'orders');
    await until(() => production.count() > 20);
    const leader = cluster.leaderOf('orders');
    const killed = leader.kill();
    expect(leader.state).toBe('killed');
    const atKill = production.count();
    await until(() => production.count() > atKill + 20);
    expect(cluster.leaderOf('orders')).not.toBe(leader);
    await killed;
    await leader.start();
    const acknowledged = await production.stop();
    await cluster.untilHealthy();
    expect(await read(cluster, 'orders', acknowledged.length)).toEqual(acknowledged);
  });
});

test('a paused node answers nothing, keeps its connections, and catches up when it is resumed', async () => {
  await using cluster = await startCluster({ nodes: 3, topics: ['orders'], config: QUICK });
  const leader = cluster.leaderOf('orders');
  const production = produce(cluster, 'orders');
  await until(() => production.count() > 20);
  const socket = new WebSocket(leader.url);
  await new Promise((resolve) => socket.once('open', resolve));
  let isAnswered = false;
  let isClosed = false;
  socket.once('close', () => {
    isClosed = true;
  });

  leader.pause();
  const question = fetch(`${leader.url.replace('ws:', 'http:')}/readyz`).then((response) => {
    isAnswered = true;
    return response.status;
  });
  const atPause = production.count();
  await until(() => production.count() > atPause + 20);
  expect(cluster.leaderOf('orders')).not.toBe(leader);
  expect([isAnswered, isClosed, leader.state]).toEqual([false, false, 'paused']);

  leader.resume();
  expect([200, 503]).toContain(await question);
  await cluster.untilHealthy();
  expect(isClosed).toBe(false);
  socket.close();
  const acknowledged = await production.stop();
  expect(await read(cluster, 'orders', acknowledged.length)).toEqual(acknowledged);
});

test('a pause shorter than the session goes unnoticed', async () => {
  await using cluster = await startCluster({ topics: ['orders'] });
  const producer = cluster.client().producer();
  const [node] = cluster.nodes;
  node?.pause();
  let isAcknowledged = false;
  const sent = producer.send({ topic: 'orders', value: 'one' }).then(() => {
    isAcknowledged = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(isAcknowledged).toBe(false);
  node?.resume();
  await sent;
  expect(node?.waitingFor).toBeUndefined();
});

test('a graceful stop moves the leaders first, so that a producer sees no error', async () => {
  await using cluster = await startCluster({ nodes: 3, topics: ['orders'] });
  const production = produce(cluster, 'orders');
  for (const node of cluster.nodes) {
    await node.restart();
    await cluster.untilHealthy();
  }
  const acknowledged = await production.stop();
  expect(await read(cluster, 'orders', acknowledged.length)).toEqual(acknowledged);
});

describe('what was not synced', () => {
  const topics = [{ name: 'orders', configs: { flush: 'os' } }];

  test('survives a kill', async () => {
    await using cluster = await startCluster({ topics });
    await cluster.client().producer().send({ topic: 'orders', value: 'one' });
    await cluster.node(1).kill();
    await cluster.node(1).start();
    expect(await read(cluster, 'orders', 1)).toEqual(['one']);
  });

  test("is gone after a kill with unsynced: 'lost'; what was synced is not", async () => {
    await using cluster = await startCluster({ topics: [...topics, 'synced'] });
    const producer = cluster.client().producer();
    await producer.send({ topic: 'orders', value: 'one' });
    await producer.send({ topic: 'synced', value: 'one' });
    await cluster.node(1).kill({ unsynced: 'lost' });
    await cluster.node(1).start();
    const ends = await cluster
      .client()
      .admin()
      .listOffsets(
        ['orders', 'synced'].map((topic) => ({ topic, partition: 0 })),
        'latest',
      );
    expect(ends.map(({ topic, offset }) => [topic, offset])).toEqual([
      ['orders', 0],
      ['synced', 1],
    ]);
  });

  test('cannot be told apart in a folder', async () => {
    await using cluster = await startCluster({ storage: 'folder' });
    await expect(cluster.node(1).kill({ unsynced: 'lost' })).rejects.toThrow("storage: 'memory'");
    expect(cluster.node(1).state).toBe('running');
  });
});

test('a node whose disk fails ends alone; the others go on, and stop tells of it', async () => {
  const cluster = await startCluster({ nodes: 3, storage: 'folder', topics: ['orders'] });
  const client = cluster.client();
  const leader = cluster.leaderOf('orders');
  const dataDir = leader.dataDir ?? '';
  await rm(dataDir, { recursive: true });
  await writeFile(dataDir, 'in the way');
  await client.admin().createTopic({ name: 'more', partitions: 6 });
  await client.producer().send({ topic: 'orders', value: 'one' });
  expect([leader.state, leader.failure?.message]).toEqual([
    'failed',
    expect.stringContaining('disk failure'),
  ]);
  await expect(cluster.stop()).rejects.toThrow('a node failed: disk failure');
});

test('what a node cannot do now is refused with its state', async () => {
  await using cluster = await startCluster();
  const node = cluster.node(1);
  expect(() => node.resume()).toThrow('it is running');
  await expect(node.start()).rejects.toThrow('running already');
  await node.kill();
  await node.kill();
  await node.stop();
  expect(() => node.pause()).toThrow('it is killed');
  await expect(cluster.untilHealthy({ timeoutMs: 1 })).rejects.toThrow('node 1 waits for');
});
