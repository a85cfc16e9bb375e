import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RealCluster } from '../../../chaos/real/nemesis/real-cluster.ts';
import type { Odradek, Producer } from '../../../src/client/node.ts';

const TOPIC = 'tried';
const dir = mkdtempSync(join(tmpdir(), 'odradek-real-cluster-'));
let cluster: RealCluster;
let client: Odradek;
let producer: Producer<string, string>;

beforeAll(async () => {
  cluster = await RealCluster.start({ dir });
  client = await cluster.client('client');
  await client.admin().createTopic({ name: TOPIC, partitions: 1, replicationFactor: 3 });
  producer = client.producer<string, string>({ lingerMs: 0, deliveryTimeoutMs: 20_000 });
  await producer.send({ topic: TOPIC, value: 'first' });
});

afterAll(async () => {
  await client?.close();
  await cluster?.end();
  rmSync(dir, { recursive: true, force: true });
});

const partition = async () => (await client.admin().describeTopics([TOPIC]))[0]?.partitions[0];

/** Writes until the leader is another; returns the new one. */
async function untilLedElsewhere(old: number | undefined): Promise<number | undefined> {
  for (;;) {
    await producer.send({ topic: TOPIC, value: 'more' });
    const leader = (await partition())?.leader;
    if (leader !== old) return leader;
  }
}

async function untilWhole(): Promise<void> {
  await cluster.heal();
  while ((await partition())?.isr.length !== 3) await producer.send({ topic: TOPIC, value: 'more' });
}

test('a killed leader is refused through the proxies, so that others lead at once', async () => {
  const leader = (await partition())?.leader;
  const startedMs = performance.now();
  await cluster.node(leader ?? 0).kill();
  expect(await untilLedElsewhere(leader)).not.toBe(leader);
  // Far less than the session of a broker, which nobody has to wait out.
  expect(performance.now() - startedMs).toBeLessThan(2500);
  await untilWhole();
});

test('a leader that is cut off from everybody is replaced, and comes back', async () => {
  const leader = (await partition())?.leader;
  cluster.links.isolate(`node-${leader}`);
  expect(await untilLedElsewhere(leader)).not.toBe(leader);
  await untilWhole();
});

test('half-open connections are found out', async () => {
  const links = [...cluster.links.to('node-1'), ...cluster.links.from('node-1')];
  for (const link of links) link.halfOpen();
  const count = () => links.reduce((sum, { halfOpenConnections }) => sum + halfOpenConnections, 0);
  expect(count()).toBeGreaterThan(0);
  while (count() > 0) await producer.send({ topic: TOPIC, value: 'more' });
  await untilWhole();
});

test('a node whose disk fails to sync ends itself, and comes back', async () => {
  const leader = (await partition())?.leader ?? 0;
  cluster.node(leader).setDisk([{ operation: 'sync', path: '.', chance: 1, error: 'EIO' }]);
  while (cluster.node(leader).isRunning) await producer.send({ topic: TOPIC, value: 'more' });
  expect(readFileSync(cluster.node(leader).logFile, 'utf8')).toContain(
    'The node ends on an error of its disk',
  );
  await untilWhole();
});

test('a paused leader is replaced, and comes back', async () => {
  const leader = (await partition())?.leader ?? 0;
  cluster.node(leader).pause();
  await untilLedElsewhere(leader);
  await untilWhole();
});
