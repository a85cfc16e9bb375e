import { expect, test } from 'vitest';
import { SimCluster } from '../../chaos/cluster/sim-cluster.ts';
import { SimWorld } from '../../chaos/sim/world.ts';
import { ClientMachine } from '../../chaos/workloads/client-machine.ts';
import type { NodeConfigInput } from '../../src/server/config.ts';

const OLD_PORT = 7001;
const NEW_PORT = 7999;

async function started(nodes: number) {
  const world = new SimWorld({ seed: 1 });
  const cluster = new SimCluster(world, nodes);
  cluster.startAll();
  const ready = () => world.runUntil(() => cluster.isReady, 30_000);
  expect(await ready()).toBe(true);
  /** Where each node is; the client asks all of these. */
  const urls = [OLD_PORT, NEW_PORT].flatMap((port) => cluster.nodes.map(({ id }) => `ws://n${id}:${port}`));
  const admin = new ClientMachine(world, 'client', urls).client().admin();
  const endpoints = () => {
    const voters = cluster.controller?.node?.raft.voters ?? [];
    return voters.map(({ id, endpoint }) => `${id}@${endpoint?.host}:${endpoint?.port}`).sort();
  };
  const restart = (id: number, config: Partial<NodeConfigInput>) => {
    const member = cluster.member(id);
    member.config = config;
    cluster.kill(member, 'process');
    cluster.start(member);
  };
  return { world, cluster, admin, ready, endpoints, restart };
}

const votersAt = (portOf: (id: number) => number) => [1, 2, 3].map((id) => `${id}@n${id}:${portOf(id)}`);

test('nodes that move one by one are found, whose configs name the old addresses of those after them', async () => {
  const { world, cluster, admin, ready, endpoints, restart } = await started(4);
  const moved = new Set<number>();
  for (const id of [1, 2, 3, 4]) {
    moved.add(id);
    // Nobody goes back to change the config of a node that has moved already.
    restart(id, { port: NEW_PORT, voters: votersAt((each) => (moved.has(each) ? NEW_PORT : OLD_PORT)) });
    expect(await ready(), `after node ${id} moved`).toBe(true);
    const name = `moved-${id}`;
    await world.settle(admin.createTopic({ name, partitions: 4, replicationFactor: 4 }));
    const isEven = () =>
      cluster.nodes.every(({ node }) =>
        node?.store.image.topicByName(name)?.partitions.every(({ isr }) => isr.length === 4),
      );
    expect(await world.runUntil(isEven, 10_000), name).toBe(true);
  }
  const at = votersAt(() => NEW_PORT);
  expect(await world.runUntil(() => `${endpoints()}` === `${at}`, 1000)).toBe(true);

  // The log alone knows where everybody is now: node 1's config has two voters where they are no longer.
  for (const member of cluster.nodes) cluster.kill(member, 'power');
  for (const member of cluster.nodes) cluster.start(member);
  expect(await ready()).toBe(true);
  expect(endpoints()).toEqual(at);
  await world.settle(admin.createTopic({ name: 'all', partitions: 1, replicationFactor: 4 }));
});

test('a cluster that moves as a whole goes by its configs', async () => {
  const { world, cluster, admin, ready, endpoints, restart } = await started(3);
  for (const member of cluster.nodes) cluster.kill(member, 'process');
  for (const { id } of cluster.nodes) restart(id, { port: NEW_PORT, voters: votersAt(() => NEW_PORT) });
  expect(await ready()).toBe(true);
  const at = votersAt(() => NEW_PORT);
  expect(await world.runUntil(() => `${endpoints()}` === `${at}`, 1000)).toBe(true);
  await world.settle(admin.createTopic({ name: 'moved', partitions: 1, replicationFactor: 3 }));
});

test('a node that another one has the address of is not mistaken for it', async () => {
  const { ready, restart } = await started(3);
  restart(3, { voters: ['1@n2:7001', '2@n1:7001', '3@n3:7001'] });
  expect(await ready()).toBe(true);
});
