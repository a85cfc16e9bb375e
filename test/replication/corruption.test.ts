import { describe, expect, test } from 'vitest';
import { ERROR_CODE, errorDefinition } from '../../src/protocol/errors.ts';
import { SimCluster, TOPIC } from './support/sim-cluster.ts';

/** Flips a bit in the first record of a broker's log. */
function damage(cluster: SimCluster, id: number): void {
  const { disk } = cluster.world.node(`n${id}`);
  const path = [...disk.files().keys()].find((file) => file.includes(TOPIC) && file.endsWith('.log'));
  if (path === undefined) throw new Error('no segment to damage');
  disk.rot(path, 65);
}

async function withRecords(options: ConstructorParameters<typeof SimCluster>[0]): Promise<SimCluster> {
  const cluster = await SimCluster.start(options);
  for (let i = 0; i < 5; i++) await cluster.world.settle(cluster.produce(1));
  await cluster.run(10_000);
  return cluster;
}

describe('a replica whose log is damaged', () => {
  test('is rebuilt from its leader once it is out of the ISR, and joins again', async () => {
    const cluster = await withRecords({ minInSyncReplicas: 2 });
    cluster.powerLoss(2);
    damage(cluster, 2);
    await cluster.restart(2);
    expect(cluster.controllers[0]?.state.isr).toEqual([1, 3]);
    await cluster.run(5_000);
    expect(cluster.world.log.some(({ message }) => message === 'Rebuilding the replica')).toBe(true);
    expect(cluster.partition(2).state).toBe('follower');
    expect(cluster.broker(2).manager.damaged()).toEqual([]);
    expect(cluster.controllers[0]?.state.isr).toEqual([1, 2, 3]);
    expect(await cluster.contents(2)).toEqual(await cluster.contents(1));
  });

  test('keeps what it has while it may still be elected for it', async () => {
    const cluster = await withRecords({ brokers: 2, minInSyncReplicas: 2 });
    cluster.powerLoss(2);
    damage(cluster, 2);
    await cluster.restart(2);
    await cluster.run(5_000);
    expect(cluster.controllers[0]?.state).toMatchObject({ isr: [1], elr: [2] });
    expect(cluster.partition(2).state).toBe('corrupt');
    expect(cluster.broker(2).logs.get(TOPIC, 0)?.failed).toBe('corrupt');
  });

  test('does not lead, and says so', async () => {
    const cluster = await withRecords({ brokers: 1 });
    cluster.powerLoss(1);
    damage(cluster, 1);
    await cluster.restart(1);
    await cluster.run(1_000);
    expect(cluster.leaderId()).toBe(1);
    expect(cluster.partition(1).state).toBe('corrupt');
    expect(cluster.broker(1).manager.damaged()).toEqual([{ topicId: TOPIC, partition: 0 }]);
    const produced = await cluster.world.settle(cluster.produce(1));
    expect(errorDefinition(produced.errorCode).name).toBe('KAFKA_STORAGE_ERROR');
  });
});

describe('a leader whose disk is full', () => {
  test('asks for another leader; nothing acknowledged is lost, and it catches up once there is room', async () => {
    const cluster = await withRecords({ minInSyncReplicas: 2 });
    const { disk } = cluster.world.node('n1');
    disk.capacityBytes = disk.usedBytes;
    void cluster.produce(1);
    await cluster.run(3_000);
    expect(cluster.cannotLead).toContain(1);
    for (const controller of cluster.controllers) controller.fence(1);
    cluster.publish();
    const produced = cluster.produce(cluster.leaderId());
    await cluster.run(1_000);
    expect((await produced).errorCode).toBe(ERROR_CODE.NONE);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    for (const controller of cluster.controllers) controller.unfence(1);
    cluster.publish();
    await cluster.run(20_000);
    expect(cluster.controllers[0]?.state.isr).toEqual([1, 2, 3]);
    expect(await cluster.contents(1)).toEqual(await cluster.contents(2));
  });

  test('keeps leading where nobody else could', async () => {
    const cluster = await withRecords({ brokers: 1 });
    const { disk } = cluster.world.node('n1');
    disk.capacityBytes = disk.usedBytes;
    void cluster.produce(1);
    await cluster.run(3_000);
    expect(cluster.cannotLead).toEqual([]);
  });
});

describe('log start', () => {
  test('a follower that is behind the log start of its leader starts over there; others follow it', async () => {
    const cluster = await withRecords({});
    cluster.powerLoss(3);
    for (let i = 0; i < 5; i++) await cluster.world.settle(cluster.produce(1));
    const leaderLog = cluster.partition(1).log;
    await cluster.world.settle(Promise.resolve(leaderLog?.advanceLogStartOffset(7)));
    await cluster.run(2_000);
    expect(cluster.partition(2).log?.logStartOffset).toBe(7);
    await cluster.restart(3);
    await cluster.run(5_000);
    expect(cluster.partition(3).log).toMatchObject({
      logStartOffset: 7,
      logEndOffset: 10,
      highWatermark: 10,
    });
    expect(cluster.controllers[0]?.state.isr).toEqual([1, 2, 3]);
    const offsets = (await cluster.contents(3)).map(({ offset }) => offset);
    expect(offsets).toEqual([7, 8, 9]);
  });
});
