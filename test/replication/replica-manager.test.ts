import { describe, expect, test } from 'vitest';
import { errorDefinition } from '../../src/protocol/errors.ts';
import { batch, fetchRequest, SimCluster, TOPIC } from './support/sim-cluster.ts';

const name = ({ errorCode }: { errorCode: number }) => errorDefinition(errorCode).name;
const only = (response: {
  responses: { partitions: { errorCode: number; records: readonly Uint8Array[] }[] }[];
}) => {
  const partition = response.responses[0]?.partitions[0];
  if (!partition) throw new Error('no partition in the answer');
  return partition;
};

describe('produce', () => {
  test('acks=all is answered once every member of the ISR has it on disk', async () => {
    const cluster = await SimCluster.start({ minInSyncReplicas: 2 });
    const produced = await cluster.world.settle(cluster.produce(1));
    expect(name(produced)).toBe('NONE');
    expect(produced.baseOffset).toBe(0);
    for (const id of [1, 2, 3]) expect(cluster.partition(id).log?.syncedOffset).toBe(1);
    await cluster.run(1_000);
    for (const id of [1, 2, 3]) expect(cluster.partition(id).log?.highWatermark).toBe(1);
  });

  test('acks=1 waits for the leader alone, acks=0 for nobody', async () => {
    const cluster = await SimCluster.start();
    for (const id of [2, 3]) cluster.cut.add(`${id}>1`);
    expect(name(await cluster.world.settle(cluster.produce(1, { acks: 0 })))).toBe('NONE');
    expect(name(await cluster.world.settle(cluster.produce(1, { acks: 1 })))).toBe('NONE');
    expect(cluster.partition(1).log?.syncedOffset).toBe(2);
    expect(cluster.partition(1).log?.highWatermark).toBe(0);
  });

  test('times out when replicas do not come up to it, and says when there are too few of them', async () => {
    const cluster = await SimCluster.start({ minInSyncReplicas: 2 });
    for (const id of [2, 3]) cluster.cut.add(`${id}>1`);
    const before = cluster.world.nowMs;
    const slow = await cluster.world.settle(cluster.produce(1, { timeoutMs: 3_000 }));
    expect(name(slow)).toBe('REQUEST_TIMED_OUT');
    expect(cluster.world.nowMs - before).toBe(3_000);
    const failing = cluster.produce(1, { timeoutMs: 20_000 });
    expect(name(await cluster.world.settle(failing))).toBe('NOT_ENOUGH_REPLICAS_AFTER_APPEND');
    expect(cluster.controllers[0]?.state.isr).toEqual([1]);
    expect(name(await cluster.world.settle(cluster.produce(1)))).toBe('NOT_ENOUGH_REPLICAS');
    expect(name(await cluster.world.settle(cluster.produce(1, { acks: 1 })))).toBe('NONE');
  });

  test('a retry of an idempotent batch is answered with its first offset', async () => {
    const cluster = await SimCluster.start();
    const bytes = () => batch(7, { id: 5, epoch: 0, sequence: 0 });
    const first = await cluster.world.settle(cluster.produce(1, { bytes: bytes() }));
    const retry = await cluster.world.settle(cluster.produce(1, { bytes: bytes() }));
    expect([first.baseOffset, retry.baseOffset, name(retry)]).toEqual([0, 0, 'NONE']);
    expect(await cluster.contents(1)).toHaveLength(1);
  });

  test('a leader that loses the partition names the new one, to whoever waits and whoever comes', async () => {
    const cluster = await SimCluster.start();
    for (const id of [2, 3]) cluster.cut.add(`${id}>1`);
    const waiting = cluster.produce(1);
    cluster.controllers[0]?.moveLeader(2);
    cluster.publish();
    for (const answer of [
      await cluster.world.settle(waiting),
      await cluster.world.settle(cluster.produce(1)),
    ]) {
      expect(name(answer)).toBe('NOT_LEADER_OR_FOLLOWER');
      expect(answer.currentLeader).toEqual({ leaderId: 2, leaderEpoch: 2 });
    }
  });

  test('what waits stays when the same broker leads on in a new epoch', async () => {
    const cluster = await SimCluster.start();
    cluster.cut.add('2>1');
    const waiting = cluster.produce(1);
    await cluster.run(50);
    cluster.controllers[0]?.moveLeader(2);
    cluster.controllers[0]?.moveLeader(1);
    cluster.publish();
    cluster.cut.clear();
    expect(name(await cluster.world.settle(waiting))).toBe('NONE');
  });

  test('a corrupt batch is refused and nothing is appended', async () => {
    const cluster = await SimCluster.start();
    const bytes = batch(1);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    expect(name(await cluster.world.settle(cluster.produce(1, { bytes })))).toBe('CORRUPT_MESSAGE');
    expect(cluster.partition(1).log?.logEndOffset).toBe(0);
  });

  test('a broker whose session lapsed refuses clients (KAFKA-14296), yet its followers go on', async () => {
    const cluster = await SimCluster.start();
    const parked = cluster.fetch(1, { offset: 0, maxWaitMs: 30_000 });
    await cluster.run(10);
    cluster.broker(1).manager.setFenced(true);
    const answer = await cluster.world.settle(parked, 100);
    expect(name(only(answer))).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(name(await cluster.world.settle(cluster.produce(1, { acks: 1 })))).toBe('NOT_LEADER_OR_FOLLOWER');
    expect(name(await cluster.broker(1).manager.listOffset(TOPIC, 0, -1))).toBe('NOT_LEADER_OR_FOLLOWER');
    cluster.broker(1).manager.setFenced(false);
    expect(name(await cluster.world.settle(cluster.produce(1)))).toBe('NONE');
  });
});

describe('fetch', () => {
  test('a consumer waits for the high watermark, not for the log end', async () => {
    const cluster = await SimCluster.start();
    cluster.cut.add('2>1');
    const fetched = cluster.fetch(1, { offset: 0, maxWaitMs: 5_000 });
    const start = cluster.world.nowMs;
    void cluster.produce(1);
    await cluster.run(1_000);
    cluster.cut.clear();
    expect(only(await cluster.world.settle(fetched)).records).toHaveLength(1);
    expect(cluster.world.nowMs - start).toBeGreaterThan(1_000);
    expect(cluster.partition(1).waiters.consumerFetches.size).toBe(0);
  });

  test('is answered empty, on time, when nothing comes, and at once when it need not wait', async () => {
    const cluster = await SimCluster.start();
    const start = cluster.world.nowMs;
    expect(only(await cluster.world.settle(cluster.fetch(1, { offset: 0, maxWaitMs: 700 }))).records).toEqual(
      [],
    );
    const answeredMs = cluster.world.nowMs;
    expect(answeredMs - start).toBeCloseTo(700);
    await cluster.world.settle(cluster.fetch(1, { offset: 0, maxWaitMs: 0 }));
    expect(cluster.world.nowMs).toBe(answeredMs);
  });

  test('waits for minBytes', async () => {
    const cluster = await SimCluster.start();
    const size = batch(1).byteLength;
    const fetched = cluster.fetch(1, { offset: 0, minBytes: 2 * size, maxWaitMs: 30_000 });
    await cluster.world.settle(cluster.produce(1));
    await cluster.run(1_000);
    expect(cluster.partition(1).waiters.consumerFetches.size).toBe(1);
    await cluster.world.settle(cluster.produce(1));
    expect(only(await cluster.world.settle(fetched, 10)).records.length).toBeGreaterThan(0);
  });

  test('a fetch is given what its caller may be sent: nothing, at once, when that is nothing', async () => {
    const cluster = await SimCluster.start();
    const size = batch(1).byteLength;
    for (let count = 0; count < 3; count++) await cluster.world.settle(cluster.produce(1));
    const reserved: number[] = [];
    const fetch = async (allowed: number) => {
      reserved.length = 0;
      const answer = cluster.fetch(1, { offset: 0, minBytes: 1, maxWaitMs: 30_000 }, (bytesMax) => {
        reserved.push(bytesMax);
        return Math.min(bytesMax, allowed);
      });
      return only(await cluster.world.settle(answer, 10)).records.reduce((sum, part) => sum + part.length, 0);
    };
    expect(await fetch(2 * size)).toBe(2 * size);
    expect(reserved.at(-1)).toBe(2 * size);
    // The first batch comes whole, or nobody would get past a large one.
    expect(await fetch(1)).toBe(size);
    expect(await fetch(0)).toBe(0);
    expect(reserved.at(-1)).toBe(0);
    const parked: number[] = [];
    void cluster.fetch(1, { offset: 3, maxWaitMs: 30_000 }, (bytesMax) => {
      parked.push(bytesMax);
      return bytesMax;
    });
    // What waits for records keeps nothing from others.
    expect(parked.at(-1)).toBe(0);
  });

  test('epochs that are over and epochs not heard of yet are told apart', async () => {
    const cluster = await SimCluster.start();
    const at = async (id: number, epoch: number) =>
      name(only(await cluster.world.settle(cluster.fetch(id, { offset: 0, epoch, maxWaitMs: 5_000 }))));
    expect(await at(1, 0)).toBe('FENCED_LEADER_EPOCH');
    expect(await at(1, 2)).toBe('UNKNOWN_LEADER_EPOCH');
    expect(await at(2, 1)).toBe('NOT_LEADER_OR_FOLLOWER');
    const unknown = fetchRequest({ offset: 0 });
    (unknown.topics[0] as { topicId: string }).topicId = 'BBBBBBBBBBBBBBBBBBBBBB';
    expect(name(only(await cluster.broker(1).manager.fetch(unknown)))).toBe('UNKNOWN_TOPIC_ID');
  });

  test('a partition whose leader does not know yet that it leads holds up no other of that leader', async () => {
    const cluster = await SimCluster.start({ partitions: 2, clockCreeps: true });
    cluster.controllers[0]?.moveLeader(2);
    cluster.publish();
    await cluster.run(1000);
    const since = cluster.fetches.length;
    cluster.controllers[1]?.moveLeader(2);
    cluster.publish([1, 3]);
    await cluster.run(400);
    const asked = () =>
      cluster.fetches
        .slice(since)
        .filter(({ from, to }) => from === 3 && to === 2)
        .map(({ request: { topics, maxWaitMs } }) => [topics[0]?.partitions.length, maxWaitMs]);
    // The other one, until that one is due again.
    expect(asked()).toContainEqual([1, 50]);
    cluster.publish();
    await cluster.run(2000);
    expect(asked().at(-1)).toEqual([2, 1000]);
  });

  test('an offset outside the log is an error, one between high watermark and log end is not', async () => {
    const cluster = await SimCluster.start();
    for (const id of [2, 3]) cluster.cut.add(`${id}>1`);
    await cluster.world.settle(cluster.produce(1, { acks: 1 }));
    const at = async (offset: number) =>
      only(await cluster.world.settle(cluster.fetch(1, { offset, maxWaitMs: 0 })));
    expect(name(await at(2))).toBe('OFFSET_OUT_OF_RANGE');
    expect(name(await at(1))).toBe('NONE');
    expect((await at(0)).records).toEqual([]);
  });

  test('beyond parkedFetchesMax a fetch is answered at once', async () => {
    const cluster = await SimCluster.start({ limits: { parkedFetchesMax: 3 } });
    const parked = Array.from({ length: 4 }, () => cluster.fetch(1, { offset: 0, maxWaitMs: 30_000 }));
    const start = cluster.world.nowMs;
    await cluster.world.settle(Promise.race(parked));
    expect(cluster.world.nowMs).toBe(start);
  });

  test('a consumer that read what was truncated is told where its log leaves the leader (KIP-320)', async () => {
    const cluster = await SimCluster.start();
    await cluster.world.settle(cluster.produce(1));
    cluster.controllers[0]?.moveLeader(2);
    cluster.publish();
    await cluster.run(100);
    await cluster.world.settle(cluster.produce(2));
    const request = fetchRequest({ offset: 2, maxWaitMs: 0 });
    Object.assign(request.topics[0]?.partitions[0] ?? {}, { lastFetchedEpoch: 1 });
    const answer = only(await cluster.broker(2).manager.fetch(request));
    expect(answer).toMatchObject({ errorCode: 0, divergingEpoch: { epoch: 1, endOffset: 1 } });
    expect(cluster.broker(2).manager.offsetForLeaderEpoch(TOPIC, 0, 1)).toMatchObject({
      leaderEpoch: 1,
      endOffset: 1,
    });
  });
});

describe('offsets', () => {
  test('the latest offset is unknown until the high watermark reached the epoch (KIP-207)', async () => {
    const cluster = await SimCluster.start();
    await cluster.world.settle(cluster.produce(1));
    for (const id of [1, 3]) cluster.cut.add(`${id}>2`);
    cluster.controllers[0]?.moveLeader(2);
    cluster.publish();
    await cluster.run(1);
    const { manager } = cluster.broker(2);
    const early = await manager.listOffset(TOPIC, 0, -1);
    expect(name(early)).toBe('OFFSET_NOT_AVAILABLE');
    cluster.cut.clear();
    await cluster.run(6_000);
    expect(await manager.listOffset(TOPIC, 0, -1)).toMatchObject({ errorCode: 0, offset: 1, leaderEpoch: 2 });
    expect(await manager.listOffset(TOPIC, 0, -2)).toMatchObject({ errorCode: 0, offset: 0 });
    expect(await cluster.world.settle(manager.listOffset(TOPIC, 0, 500))).toMatchObject({
      offset: 0,
      timestamp: 1_000,
    });
    expect(await cluster.world.settle(manager.listOffset(TOPIC, 0, 5_000))).toMatchObject({
      errorCode: 0,
      offset: -1,
    });
  });
});

describe('roles', () => {
  test('takes no role before the broker is registered: metadata may name it leader of an epoch it lost', async () => {
    const cluster = new SimCluster();
    await cluster.open(1);
    cluster.publish();
    await cluster.run(1_000);
    expect(cluster.partition(1).state).toBe('opening');
    cluster.broker(1).manager.setBrokerEpoch(1);
    await cluster.run(100);
    expect(cluster.partition(1).state).toBe('leader');
  });

  test('a leader change takes effect in one event, though the old leader holds the fetch', async () => {
    const cluster = await SimCluster.start({ limits: { fetchWaitMsMax: 30_000 } });
    cluster.controllers[0]?.moveLeader(2);
    cluster.publish();
    const produced = cluster.produce(2);
    const start = cluster.world.nowMs;
    expect(name(await cluster.world.settle(produced))).toBe('NONE');
    expect(cluster.world.nowMs - start).toBeLessThan(50);
  });

  test('logs go only with a removal; a replica that is unassigned keeps its log', async () => {
    const cluster = await SimCluster.start();
    await cluster.world.settle(cluster.produce(1));
    const { manager, logs } = cluster.broker(2);
    const { partitionEpoch, ...rest } = cluster.assignment(0);
    const unassigned = { ...rest, replicas: [1, 3], isr: [1, 3], partitionEpoch: partitionEpoch + 1 };
    await manager.applyAssignments({ changed: [unassigned], removed: [] });
    await cluster.run(100);
    expect(logs.get(TOPIC, 0)?.logEndOffset).toBe(1);
    await cluster.world.settle(
      manager.applyAssignments({ changed: [], removed: [{ topicId: TOPIC, partition: 0 }] }),
    );
    expect(logs.get(TOPIC, 0)).toBeUndefined();
    expect(manager.partition(TOPIC, 0)).toBeUndefined();
  });

  test('close answers whoever waits', async () => {
    const cluster = await SimCluster.start();
    for (const id of [2, 3]) cluster.cut.add(`${id}>1`);
    const produced = cluster.produce(1);
    const fetched = cluster.fetch(1, { offset: 0, maxWaitMs: 30_000 });
    await cluster.run(10);
    cluster.broker(1).manager.close();
    expect(name(await cluster.world.settle(produced, 10))).toBe('NOT_LEADER_OR_FOLLOWER');
    await cluster.world.settle(fetched, 10);
  });
});
