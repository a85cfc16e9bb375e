import { describe, expect, test } from 'vitest';
import { Producer } from '../../src/client/producer.ts';
import { SenderCore } from '../../src/client/sender.ts';
import type { ProduceWork } from '../../src/client/sender-types.ts';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import { readBatchHeader } from '../../src/protocol/record-batch.ts';
import { FakeCluster } from './support/fake-cluster.ts';

describe('a batch that is too large for its topic (KIP-126)', () => {
  test.each([true, false])('goes in halves, in order and once (idempotent: %s)', async (idempotent) => {
    const fake = new FakeCluster(3);
    const [log] = fake.addTopic('t', 1).partitions;
    if (log === undefined) throw new Error('no partition');
    log.batchBytesMax = 1_000;
    const cluster = fake.connect();
    const producer = new Producer<string, string>(cluster, {
      batchBytes: 8_000,
      idempotent,
      // Without sequence numbers only one batch at a time keeps the order.
      ...(!idempotent && { requestsInFlightMax: 1 }),
    });
    const splits: number[] = [];
    producer.on('batchSplit', ({ records }) => splits.push(records));
    const values = Array.from({ length: 900 }, (_, i) => `value ${i} of about forty bytes altogether`);
    const sent = Promise.all(values.map((value) => producer.send({ topic: 't', value })));
    const places = await fake.world.settle(sent);
    expect(log.values()).toEqual(values);
    expect(places.map(({ offset }) => offset)).toEqual(values.map((_, i) => i));
    for (const { bytes } of log.batches) expect(bytes.length).toBeLessThanOrEqual(1_000);
    // Of one epoch and without a hole: a wrong number would have cost an epoch, and healed unseen.
    let next = 0;
    for (const { bytes } of log.batches) {
      const { baseSequence, producerEpoch, recordCount } = readBatchHeader(bytes);
      if (idempotent)
        expect({ baseSequence, producerEpoch }).toEqual({ baseSequence: next, producerEpoch: 0 });
      next += recordCount;
    }
    expect(splits.length).toBeGreaterThan(10);
    expect(producer.metrics()).toMatchObject({
      recordsSent: 900,
      recordsFailed: 0,
      batchesSplit: splits.length,
    });
    expect(producer.bufferedBytes).toBe(0);
    await fake.world.settle(producer.close());
  });

  test('numbers stay without a hole while requests and answers are lost', async () => {
    const fake = new FakeCluster(4);
    const [log] = fake.addTopic('t', 1).partitions;
    if (log === undefined) throw new Error('no partition');
    log.batchBytesMax = 1_000;
    let count = 0;
    fake.fault = (api) =>
      api === 'Produce' && ++count % 4 === 0
        ? { kind: count % 8 === 0 ? 'lose-reply' : 'lose-request' }
        : { kind: 'ok' };
    const producer = new Producer<string, string>(fake.connect(), { batchBytes: 4_000 });
    const values = Array.from({ length: 400 }, (_, i) => `value ${i} of about forty bytes altogether`);
    const results = await fake.world.settle(
      Promise.allSettled(values.map((value) => producer.send({ topic: 't', value }))),
    );
    const written = log.values();
    expect(new Set(written).size).toBe(written.length);
    expect([...written].sort()).toEqual(written.map((v) => v).sort());
    const acknowledged = values.filter((_, i) => results[i]?.status === 'fulfilled');
    expect(acknowledged.filter((value) => !written.includes(value))).toEqual([]);
    let next = 0;
    for (const { bytes } of log.batches) {
      const { baseSequence, recordCount, producerEpoch } = readBatchHeader(bytes);
      if (producerEpoch === 0) expect(baseSequence).toBe(next);
      next = baseSequence + recordCount;
    }
    await fake.world.settle(producer.close());
  });

  test('a single record that is too large fails, and nothing else does', async () => {
    const fake = new FakeCluster(5);
    const [log] = fake.addTopic('t', 1).partitions;
    if (log === undefined) throw new Error('no partition');
    log.batchBytesMax = 1_000;
    const producer = new Producer(fake.connect(), { lingerMs: 20 });
    const sent = [10, 2_000, 10].map((length) =>
      producer.send({ topic: 't', value: new Uint8Array(length) }),
    );
    const results = await fake.world.settle(Promise.allSettled(sent));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((results[1] as PromiseRejectedResult).reason).toMatchObject({
      code: 'DELIVERY_FAILED',
      maybeWritten: false,
      cause: { code: 'MESSAGE_TOO_LARGE', advice: expect.stringContaining('max.message.bytes') },
    });
    await fake.world.settle(producer.close());
  });

  test('its last one is not sent five ahead of an unanswered half: brokers remember no more', () => {
    const core = new SenderCore({
      lingerMs: 0,
      batchBytes: 200,
      requestBytesMax: 1_000_000,
      deliveryTimeoutMs: 1_000,
      requestsInFlightMax: 5,
      idempotent: true,
      compression: { id: 0, level: undefined },
    });
    core.setProducerId(1, 0);
    const { accumulator } = core;
    const delivery = { delivered: () => {}, failed: () => {} };
    const record = { timestamp: 0, key: null, value: new Uint8Array(10) };
    for (let number = 0; number < 5; number++) {
      accumulator.appendToNew('t', 0, record, delivery, 0, 10, number, 0);
      if (number === 0) accumulator.queue('t', 0).waiting[0]?.tryAppend(record, delivery, 1, 10);
    }
    const sent: ProduceWork[] = [];
    const pump = () => {
      const { requests } = core.plan({ leaderOf: () => 1 }, 0);
      sent.push(...requests);
      return requests.map(({ batches }) => batches[0]?.ordinal);
    };
    const answer = (at: number, errorCode: number) => {
      const work = sent[at];
      const [batch] = work?.batches ?? [];
      if (work === undefined || batch === undefined) throw new Error(`no request ${at}`);
      core.onAnswer(work, batch, { errorCode, baseOffset: at, logAppendTimeMs: -1, errorMessage: null }, 0);
      core.onRequestDone(work);
    };
    expect(pump()).toEqual([0, 1, 2, 3, 4]);
    answer(0, ERROR_CODE.MESSAGE_TOO_LARGE);
    for (const at of [1, 2, 3, 4]) answer(at, ERROR_CODE.OUT_OF_ORDER_SEQUENCE_NUMBER);
    // Six now, with the numbers 0 to 5; the answer to the second overtakes that to the first.
    expect(pump()).toEqual([0, 1, 2, 3, 4]);
    answer(6, ERROR_CODE.NONE);
    expect(pump()).toEqual([]);
    answer(5, ERROR_CODE.NONE);
    expect(pump()).toEqual([5]);
  });
});
