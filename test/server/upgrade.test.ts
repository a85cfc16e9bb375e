import { describe, expect, test } from 'vitest';
import { SimCluster } from '../../chaos/cluster/sim-cluster.ts';
import { SimWorld } from '../../chaos/sim/world.ts';
import { ClientMachine } from '../../chaos/workloads/client-machine.ts';
import { string } from '../../src/client/index.ts';
import { CATALOGUE_VERSION, OLDEST_CATALOGUE_VERSION } from '../../src/protocol/catalogue-version.ts';
import type { NodeConfigInput } from '../../src/server/config.ts';

const TOPIC = 'work';
/** Few, so that snapshots are taken and sent by nodes of either version. */
const LIMITS = { raftSnapshotEntries: 20, wipedVoterTimeoutMs: 2000 };

async function started(
  nodes: number,
  catalogueVersion: number,
  seed = 1,
  more: Partial<NodeConfigInput> = {},
) {
  const world = new SimWorld({ seed });
  const cluster = new SimCluster(world, nodes, { limits: LIMITS, ...more });
  for (const member of cluster.nodes) member.config = { catalogueVersion };
  cluster.startAll();
  expect(await world.runUntil(() => cluster.isReady, 10_000)).toBe(true);
  const client = new ClientMachine(world, 'client', cluster.bootstrap);
  const admin = client.client().admin();
  const levels = () => cluster.nodes.map(({ node }) => node?.store.image.catalogueLevel);
  const untilReady = async () => expect(await world.runUntil(() => cluster.isReady, 30_000)).toBe(true);
  /** Restarts a node as another release; `how` it ended before. */
  const restart = async (id: number, version: number, how: 'stop' | 'process' | 'power') => {
    const member = cluster.member(id);
    if (how === 'stop') cluster.stop(member);
    else cluster.kill(member, how);
    expect(await world.runUntil(() => !member.machine.running, 30_000)).toBe(true);
    member.config = { catalogueVersion: version };
    cluster.start(member);
  };
  return { world, cluster, client, admin, levels, untilReady, restart };
}

type Started = Awaited<ReturnType<typeof started>>;

/** A producer that never rests; what it was told that it wrote must be there in the end. */
function work({ world, client }: Started) {
  const producer = client.client().producer();
  const acknowledged: string[] = [];
  const failures: unknown[] = [];
  let isOver = false;
  const send = async () => {
    for (let i = 0; !isOver; i++) {
      const value = `v${i}`;
      await producer.send({ topic: TOPIC, value }).then(
        () => acknowledged.push(value),
        (error: unknown) => failures.push(error),
      );
      await client.sleep(20);
    }
  };
  const done = send();
  const readBack = async () => {
    isOver = true;
    await world.settle(done);
    const consumer = client.client().consumer({ value: string, autoOffsetReset: 'earliest' });
    await world.settle(consumer.assign([{ topic: TOPIC, partition: 0 }]));
    const read: (string | null)[] = [];
    for (;;) {
      const records = await world.settle(consumer.poll(1000));
      if (records.length === 0 && read.length >= acknowledged.length) break;
      read.push(...records.map(({ value }) => value));
    }
    return read;
  };
  return { acknowledged, failures, readBack };
}

describe('a rolling upgrade', () => {
  const ORDERS = [
    [1, 2, 3],
    [1, 3, 2],
    [2, 1, 3],
    [2, 3, 1],
    [3, 1, 2],
    [3, 2, 1],
  ] as const;

  test.each(ORDERS)('in the order %i, %i, %i goes on under work and faults', async (...order) => {
    const [a, b, c] = order;
    const seed = 100 * a + 10 * b + c;
    const all = await started(3, OLDEST_CATALOGUE_VERSION, seed);
    const { world, cluster, admin, levels, untilReady, restart } = all;
    await world.settle(admin.createTopic({ name: TOPIC, partitions: 1, replicationFactor: 3 }));
    const working = work(all);
    expect(levels()).toEqual([2, 2, 2]);
    for (const [step, id] of order.entries()) {
      expect(levels()).toEqual([2, 2, 2]);
      await restart(id, CATALOGUE_VERSION, (['stop', 'process', 'power'] as const)[(step + a) % 3] ?? 'stop');
      // Whoever leads now dies, whatever it speaks, while the restarted one catches up.
      await world.run(world.nowMs + 300);
      const leader = cluster.controller;
      if (leader) await restart(leader.id, Number(leader.config.catalogueVersion), 'power');
      await untilReady();
      await world.settle(admin.createTopic({ name: `after-${step}`, partitions: 2, replicationFactor: 3 }));
    }
    expect(await world.runUntil(() => levels().every((level) => level === CATALOGUE_VERSION), 5000)).toBe(
      true,
    );
    const before = working.acknowledged.length;
    await world.settle(admin.removeVoter({ id: a }));
    await world.settle(admin.addVoter({ id: a }));
    await world.run(world.nowMs + 500);
    expect(working.acknowledged.length).toBeGreaterThan(before);
    expect(working.failures).toEqual([]);
    expect(await working.readBack()).toEqual(working.acknowledged);
    expect(cluster.nodes.flatMap(({ machine }) => machine.crashes)).toEqual([]);
  });

  test('a voter that was wiped half-way gets its seat back once the last node is upgraded', async () => {
    const { world, cluster, levels, restart } = await started(3, OLDEST_CATALOGUE_VERSION);
    await restart(1, CATALOGUE_VERSION, 'stop');
    const wiped = cluster.member(2);
    cluster.kill(wiped, 'power');
    wiped.machine.disk.wipe();
    wiped.config = { catalogueVersion: CATALOGUE_VERSION };
    cluster.start(wiped);
    await world.run(world.nowMs + 20_000);
    // Node 3 could not read that the voters change: it would go on counting the old ones.
    expect(levels()).toEqual([2, 2, 2]);
    expect(wiped.node?.raft.isVoter).toBe(false);
    await restart(3, CATALOGUE_VERSION, 'process');
    expect(await world.runUntil(() => wiped.node?.raft.isVoter ?? false, 40_000)).toBe(true);
    expect(levels()).toEqual([3, 3, 3]);
  });

  test('can be taken back until the last node is through', async () => {
    const all = await started(3, OLDEST_CATALOGUE_VERSION);
    const { world, admin, levels, untilReady, restart, cluster } = all;
    await world.settle(admin.createTopic({ name: TOPIC, partitions: 1, replicationFactor: 3 }));
    const working = work(all);
    for (const [id, version] of [
      [1, 3],
      [2, 3],
      [1, 2],
      [2, 2],
    ] as const) {
      await restart(id, version, 'process');
      await world.run(world.nowMs + 2000);
      await untilReady();
    }
    expect(levels()).toEqual([2, 2, 2]);
    expect(await working.readBack()).toEqual(working.acknowledged);
    expect(cluster.nodes.flatMap(({ machine }) => machine.crashes)).toEqual([]);
  });
});

describe('a mixed cluster', () => {
  test.each([
    ['an upgraded', 1],
    ['an old', 2],
  ])('with %s controller refuses to change the voters, and says what to do', async (_which, leader) => {
    const { world, cluster, admin, untilReady, restart } = await started(4, OLDEST_CATALOGUE_VERSION);
    for (const id of [1, 4]) await restart(id, CATALOGUE_VERSION, 'stop');
    await untilReady();
    for (let tries = 0; cluster.controller?.id !== leader && tries < 30; tries++) {
      const { id, config } = cluster.controller ?? cluster.member(1);
      await restart(id, Number(config.catalogueVersion), 'stop');
      await untilReady();
    }
    expect(cluster.controller?.id).toBe(leader);
    // By the upgraded ones: the old ones do not serve it at all.
    const client = new ClientMachine(world, 'other', ['ws://n4:7001']);
    await expect(world.settle(client.client().admin().addVoter({ id: 4 }))).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
      message: expect.stringContaining('"odradek cluster describe" names'),
    });
    if (leader !== 1) return;
    expect(await world.settle(admin.describeQuorum())).toMatchObject({
      catalogueLevel: 2,
      catalogueHeldBackBy: [2, 3],
    });
  });
});

describe('a node that is held back', () => {
  test('refuses to start where the cluster has left its version behind, and leaves its log as it is', async () => {
    const { world, cluster, levels, untilReady, restart } = await started(3, CATALOGUE_VERSION);
    expect(levels()).toEqual([3, 3, 3]);
    const { machine } = cluster.member(2);
    await restart(2, OLDEST_CATALOGUE_VERSION, 'process');
    expect(await world.runUntil(() => !machine.running, 5000)).toBe(true);
    expect(machine.crashes).toMatchObject([
      { code: 'CATALOGUE_TOO_OLD', message: expect.stringContaining('raise catalogueVersion') },
    ]);
    cluster.member(2).config = {};
    cluster.start(cluster.member(2));
    await untilReady();
  });

  test('is not let in where it is new', async () => {
    const { world, cluster } = await started(4, CATALOGUE_VERSION);
    const member = cluster.member(4);
    cluster.kill(member, 'power');
    member.machine.disk.wipe();
    member.config = { catalogueVersion: OLDEST_CATALOGUE_VERSION };
    cluster.start(member);
    expect(await world.runUntil(() => !member.machine.running, 5000)).toBe(true);
    expect(member.machine.crashes).toMatchObject([{ code: 'CATALOGUE_TOO_OLD' }]);
  });

  test('does not come back into a cluster that was upgraded while it was away', async () => {
    const { world, cluster, levels, restart } = await started(3, OLDEST_CATALOGUE_VERSION);
    await restart(1, CATALOGUE_VERSION, 'stop');
    await restart(2, CATALOGUE_VERSION, 'stop');
    await world.run(world.nowMs + 3000);
    await restart(3, CATALOGUE_VERSION, 'stop');
    // The last one tells that it can, and is back at the old version before it hears what follows from it.
    await world.runUntil(() => levels()[0] === 3, 10_000);
    await restart(3, OLDEST_CATALOGUE_VERSION, 'power');
    expect(await world.runUntil(() => cluster.member(3).machine.crashes.length > 0, 20_000)).toBe(true);
    expect(cluster.member(3).machine.crashes).toMatchObject([{ code: 'CATALOGUE_TOO_OLD' }]);
  });
});
