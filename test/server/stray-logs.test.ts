import { expect, test } from 'vitest';
import { SimCluster } from '../../chaos/cluster/sim-cluster.ts';
import { SimWorld } from '../../chaos/sim/world.ts';
import { ClientMachine } from '../../chaos/workloads/client-machine.ts';

test('a node that was down while a topic was removed removes its logs, and only those', async () => {
  const world = new SimWorld({ seed: 1 });
  const cluster = new SimCluster(world, 3);
  cluster.startAll();
  await world.runUntil(() => cluster.isReady, 10_000);
  const admin = new ClientMachine(world, 'client', cluster.bootstrap).client().admin();
  for (const name of ['kept', 'removed']) await world.settle(admin.createTopic({ name, partitions: 2 }));
  const member = cluster.member(3);
  const logs = () => Array.from(member.node?.logs.all() ?? [], ({ topicId }) => topicId);
  await world.runUntil(() => logs().length === 4, 10_000);

  cluster.kill(member, 'process');
  await world.settle(admin.deleteTopics(['removed']));
  cluster.start(member);
  await world.runUntil(() => cluster.isReady && logs().length === 2, 10_000);

  const kept = member.node?.store.image.topicByName('kept')?.id;
  expect(logs()).toEqual([kept, kept]);
});
