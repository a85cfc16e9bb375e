import { describe, expect, test } from 'vitest';
import { BrokerHeartbeat } from '../../src/protocol/messages/broker-heartbeat.ts';
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts';
import { ZERO_UUID } from '../../src/protocol/uuid.ts';
import { Harness } from './support/harness.ts';

describe('registration', () => {
  test('the broker epoch is the index of the entry, and a lost answer is given again', async () => {
    const h = new Harness();
    const broker = await h.register(1);
    expect(broker.epoch).toBe(h.image.index);
    expect(h.image.brokers.get(1)).toMatchObject({ fenced: true, epoch: broker.epoch });
    expect((await h.register(1)).epoch).toBeGreaterThan(broker.epoch);
  });

  test('a foreign cluster is refused', async () => {
    const h = new Harness();
    await expect(h.register(1, { clusterId: ZERO_UUID })).rejects.toMatchObject({
      code: 'INCONSISTENT_CLUSTER_ID',
    });
  });

  test('a live id is not taken over from another directory, until its session ends', async () => {
    const h = new Harness();
    await h.start(1);
    await expect(h.register(1, { directory: 9 })).rejects.toMatchObject({
      code: 'DUPLICATE_BROKER_REGISTRATION',
    });
    h.time.advance(3_200);
    await expect(h.register(1, { directory: 9 })).resolves.toMatchObject({ id: 1 });
  });

  test('the same directory restarts at once, and the old incarnation is stale', async () => {
    const h = new Harness();
    const old = await h.start(1);
    const now = await h.register(1);
    await expect(h.heartbeat(old)).rejects.toMatchObject({ code: 'STALE_BROKER_EPOCH' });
    await expect(h.heartbeat(now)).resolves.toMatchObject({ isFenced: false });
    await expect(h.heartbeat({ ...now, id: 7 })).rejects.toMatchObject({ code: 'BROKER_ID_NOT_REGISTERED' });
  });

  test('a broker speaks for itself alone', async () => {
    const h = new Harness();
    const broker = await h.start(1);
    const request = {
      brokerId: 1,
      brokerEpoch: broker.epoch,
      currentMetadataOffset: 0,
      wantFence: false,
      wantShutDown: true,
    };
    await expect(h.shell.handle(BrokerHeartbeat, request, { brokerId: 2 })).rejects.toMatchObject({
      code: 'CLUSTER_AUTHORIZATION_FAILED',
    });
  });
});

describe('sessions', () => {
  test('a broker is unfenced once it is caught up, and fenced when it falls silent', async () => {
    const h = new Harness();
    const broker = await h.register(1);
    expect(await h.heartbeat(broker, { offset: broker.epoch - 1 })).toMatchObject({
      isCaughtUp: false,
      isFenced: true,
    });
    expect(await h.heartbeat(broker, { wantFence: true })).toMatchObject({
      isCaughtUp: true,
      isFenced: true,
    });
    expect(await h.heartbeat(broker)).toMatchObject({ isFenced: false });
    h.time.advance(1_600);
    h.commit();
    expect(h.image.brokers.get(1)?.fenced).toBe(false);
    h.time.advance(400);
    h.commit();
    expect(h.image.brokers.get(1)?.fenced).toBe(true);
    // Back again, but it must first learn that it was fenced.
    expect(await h.heartbeat(broker, { offset: broker.epoch })).toMatchObject({ isFenced: true });
    expect(await h.heartbeat(broker)).toMatchObject({ isFenced: false });
  });

  test('a broker that died with the old controller is fenced within one session (KAFKA-18138)', async () => {
    const h = new Harness();
    const [, second] = await h.startAll(1, 2);
    h.depose();
    h.elect();
    for (let i = 0; i < 4; i++) {
      h.time.advance(500);
      if (second) await h.heartbeat(second);
    }
    h.commit();
    expect(h.image.brokers.get(1)?.fenced).toBe(true);
    expect(h.image.brokers.get(2)?.fenced).toBe(false);
  });

  test('the silence of the old controller counts, but it has a moment to turn to the new one', async () => {
    const h = new Harness();
    await h.startAll(1, 2, 3);
    h.depose();
    h.elect({ id: 1, contactMs: h.time.monotonicMs() - 5_000 });
    h.time.advance(200);
    h.commit();
    expect(h.image.brokers.get(1)?.fenced).toBe(false);
    h.time.advance(200);
    h.commit();
    expect(h.image.brokers.get(1)?.fenced).toBe(true);
    expect(h.image.brokers.get(2)?.fenced).toBe(false);
  });

  test('an old controller that was heard until just now keeps most of its session', async () => {
    const h = new Harness();
    await h.startAll(1, 2, 3);
    h.depose();
    h.elect({ id: 1, contactMs: h.time.monotonicMs() - 300 });
    h.time.advance(1_300);
    h.commit();
    expect(h.image.brokers.get(1)?.fenced).toBe(false);
  });

  test('a broker that stands still for a second, after a heartbeat was due, is not fenced', async () => {
    const h = new Harness();
    const brokers = await h.startAll(1, 2, 3);
    for (let pause = 0; pause < 5; pause++) {
      h.time.advance(1_250);
      h.commit();
      for (const broker of brokers) expect(h.image.brokers.get(broker.id)?.fenced).toBe(false);
      for (const broker of brokers) await h.heartbeat(broker);
    }
  });

  test('a controller that stood still fences nobody for it (KAFKA-15019, KAFKA-19586)', async () => {
    const h = new Harness();
    const brokers = await h.startAll(1, 2, 3);
    for (let i = 0; i < 5; i++) {
      h.time.freeze(10_000);
      h.time.advance(0);
      h.commit();
      for (const broker of brokers) expect(h.image.brokers.get(broker.id)?.fenced).toBe(false);
      for (const broker of brokers) await h.heartbeat(broker);
    }
  });

  test('a slow quorum fences nobody: heartbeats that change nothing do not wait for it (KAFKA-15019)', async () => {
    const h = new Harness();
    const brokers = await h.startAll(1, 2, 3);
    h.autoCommit = false;
    const created = h.call(CreateTopics, h.topicRequest('slow'));
    for (let i = 0; i < 20; i++) {
      h.time.advance(500);
      for (const broker of brokers) expect(await h.heartbeat(broker)).toMatchObject({ isFenced: false });
    }
    h.commit();
    expect((await created).topics[0]?.errorCode).toBe(0);
    for (const broker of brokers) expect(h.image.brokers.get(broker.id)?.fenced).toBe(false);
  });

  test('a heartbeat that is held until its entry commits keeps the session alive', async () => {
    const h = new Harness();
    const broker = await h.register(1);
    h.autoCommit = false;
    const held = h.heartbeat(broker);
    h.time.advance(10_000);
    h.commit();
    expect(await held).toMatchObject({ isFenced: false });
    h.time.advance(1_200);
    h.commit();
    expect(h.image.brokers.get(1)?.fenced).toBe(false);
  });

  test('a refused connection fences at once, and a wrong guess heals with the next heartbeat', async () => {
    const h = new Harness();
    const [first] = await h.startAll(1, 2, 3);
    await h.createPartition([1, 2, 3]);
    h.shell.brokerUnreachable(1);
    h.commit();
    expect(h.image.brokers.get(1)?.fenced).toBe(true);
    expect(h.partition()).toMatchObject({ leader: 2, isr: [2, 3], leaderEpoch: 1, partitionEpoch: 1 });
    if (first) expect(await h.heartbeat(first)).toMatchObject({ isFenced: false });
    h.shell.brokerUnreachable(77);
  });
});

describe('controlled shutdown', () => {
  test('leaders move first, others learn of it, then the broker may stop', async () => {
    const h = new Harness();
    const [first, second, third] = await h.startAll(1, 2, 3);
    if (!first || !second || !third) return;
    await h.createPartition([1, 2, 3]);
    expect(await h.heartbeat(first, { wantShutDown: true })).toMatchObject({ shouldShutDown: false });
    expect(h.partition()).toMatchObject({ leader: 2, isr: [2, 3] });
    expect(h.image.brokers.get(1)).toMatchObject({ fenced: false, inControlledShutdown: true });
    await h.heartbeat(second);
    expect(await h.heartbeat(first, { wantShutDown: true })).toMatchObject({ shouldShutDown: false });
    await h.heartbeat(third);
    expect(await h.heartbeat(first, { wantShutDown: true })).toMatchObject({
      shouldShutDown: true,
      isFenced: true,
    });
    // KIP-841: it does not come back by a late fetch or heartbeat.
    expect((await h.alterIsr(second, [1, 2, 3])).errorCode).toBe(107);
    expect(await h.heartbeat(first)).toMatchObject({ isFenced: true });
  });

  test('a stopping broker does not rejoin an ISR', async () => {
    const h = new Harness();
    const [first, second] = await h.startAll(1, 2, 3);
    if (!first || !second) return;
    await h.createPartition([1, 2, 3]);
    await h.heartbeat(first, { wantShutDown: true });
    expect((await h.alterIsr(second, [1, 2, 3])).errorCode).toBe(107);
  });

  test('where nobody else can lead, the broker leads until it stops', async () => {
    const h = new Harness();
    const [only] = await h.startAll(1);
    if (!only) return;
    await h.createPartition([1]);
    expect(await h.heartbeat(only, { wantShutDown: true })).toMatchObject({ shouldShutDown: false });
    expect(h.partition()).toMatchObject({ leader: 1, isr: [1] });
    expect(await h.heartbeat(only, { wantShutDown: true })).toMatchObject({ shouldShutDown: true });
    expect(h.partition()).toMatchObject({ leader: -1, isr: [1] });
    const again = await h.start(1);
    expect(again.epoch).toBeGreaterThan(only.epoch);
    expect(h.partition()).toMatchObject({ leader: 1, isr: [1] });
  });

  test('a new controller carries the shutdown on', async () => {
    const h = new Harness();
    const [first, second, third] = await h.startAll(1, 2, 3);
    if (!first || !second || !third) return;
    await h.createPartition([1, 2, 3]);
    await h.heartbeat(first, { wantShutDown: true });
    h.depose();
    h.elect();
    expect(await h.heartbeat(first, { wantShutDown: true })).toMatchObject({ shouldShutDown: false });
    await h.heartbeat(second);
    await h.heartbeat(third);
    expect(await h.heartbeat(first, { wantShutDown: true })).toMatchObject({ shouldShutDown: true });
  });
});
