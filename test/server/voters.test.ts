import { expect, test } from 'vitest';
import { SimCluster } from '../../chaos/cluster/sim-cluster.ts';
import { SimWorld } from '../../chaos/sim/world.ts';
import { ClientMachine } from '../../chaos/workloads/client-machine.ts';
import type { NodeConfigInput } from '../../src/server/config.ts';

async function started(nodes: number, overrides: Partial<NodeConfigInput> = {}) {
  const world = new SimWorld({ seed: 1 });
  const cluster = new SimCluster(world, nodes, overrides);
  cluster.startAll();
  expect(await world.runUntil(() => cluster.isReady, 10_000)).toBe(true);
  const admin = new ClientMachine(world, 'client', cluster.bootstrap).client().admin();
  const voters = async () => {
    const { currentVoters } = await world.settle(admin.describeQuorum());
    return currentVoters.map(({ replicaId }) => replicaId).sort();
  };
  return { world, cluster, admin, voters };
}

const leads = ({ controller }: SimCluster) => controller?.id ?? 0;

test('a fourth node gets a vote, and the quorum survives two of the first three then', async () => {
  const { world, cluster, admin, voters } = await started(5);
  await world.settle(admin.addVoter({ id: 4 }));
  await world.settle(admin.addVoter({ id: 5 }));
  expect(await voters()).toEqual([1, 2, 3, 4, 5]);
  cluster.kill(cluster.member(leads(cluster)), 'process');
  await world.runUntil(() => cluster.controller?.node?.raft.canPropose ?? false, 10_000);
  cluster.kill(cluster.member(leads(cluster)), 'process');
  await world.runUntil(() => cluster.controller?.node?.raft.canPropose ?? false, 10_000);
  await world.settle(admin.createTopic({ name: 'still', partitions: 1, replicationFactor: 1 }));
});

test('a leader that is removed hands over, goes on as a broker, and may get its vote back', async () => {
  const { world, cluster, admin, voters } = await started(3);
  const old = leads(cluster);
  await world.settle(admin.removeVoter({ id: old }));
  expect(await world.runUntil(() => leads(cluster) !== old && leads(cluster) !== 0, 5000)).toBe(true);
  expect(await voters()).toEqual([1, 2, 3].filter((id) => id !== old));
  await world.settle(admin.createTopic({ name: 'three', partitions: 1, replicationFactor: 3 }));
  await world.settle(admin.addVoter({ id: old }));
  expect(await voters()).toEqual([1, 2, 3]);
});

test('a node that slept through a change of all voters that it knew finds the leader', async () => {
  const { world, cluster, admin } = await started(5);
  const asleep = cluster.member(4);
  cluster.kill(asleep, 'process');
  await world.settle(admin.addVoter({ id: 5 }));
  for (let old = leads(cluster); old !== 5; old = leads(cluster)) {
    await world.settle(admin.removeVoter({ id: old }));
    await world.runUntil(() => leads(cluster) !== old && leads(cluster) !== 0, 5000);
  }
  cluster.start(asleep);
  // Its log and its config name others, and those only say that node 5 leads.
  expect(await world.runUntil(() => cluster.isReady, 20_000)).toBe(true);
});

test('changes that cannot be are refused with what to do', async () => {
  const { world, admin } = await started(3);
  await expect(world.settle(admin.addVoter({ id: 1 }))).rejects.toMatchObject({
    code: 'DUPLICATE_VOTER',
    message: expect.stringContaining('remove the voter with the old directory first'),
  });
  await expect(world.settle(admin.addVoter({ id: 9 }))).rejects.toMatchObject({ code: 'VOTER_NOT_FOUND' });
  await expect(world.settle(admin.removeVoter({ id: 9 }))).rejects.toMatchObject({ code: 'VOTER_NOT_FOUND' });
  const wrong = { id: 1, directoryId: 'AAAAAAAAAAAAAAAAAAAAAA' };
  await expect(world.settle(admin.removeVoter(wrong))).rejects.toMatchObject({
    code: 'VOTER_NOT_FOUND',
    message: expect.stringContaining('votes with another directory'),
  });
});

test('a node whose disk was wiped takes its seat again by itself, and the next wiped one too', async () => {
  const { world, cluster, voters } = await started(3);
  for (const id of [2, 3]) {
    const member = cluster.member(id);
    cluster.kill(member, 'power');
    member.machine.disk.wipe();
    cluster.start(member);
    expect(await world.runUntil(() => member.node?.raft.isVoter ?? false, 40_000)).toBe(true);
    expect(await voters()).toEqual([1, 2, 3]);
  }
});

test('a node whose disk was wiped waits for an operator where the config says so', async () => {
  const { world, cluster, admin, voters } = await started(3, { replaceWipedVoters: false });
  const member = cluster.member(2);
  cluster.kill(member, 'power');
  member.machine.disk.wipe();
  cluster.start(member);
  await world.run(world.nowMs + 40_000);
  expect(member.node?.raft.isVoter).toBe(false);
  await world.settle(admin.removeVoter({ id: 2 }));
  await world.settle(admin.addVoter({ id: 2 }));
  await world.runUntil(() => member.node?.raft.isVoter ?? false, 5000);
  expect(await voters()).toEqual([1, 2, 3]);
  await world.runUntil(() => cluster.isReady, 10_000);
});
