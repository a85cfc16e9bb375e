import { expect, test } from 'vitest';
import { SenderCore } from '../../src/client/sender.ts';
import { ERROR_CODE } from '../../src/protocol/errors.ts';

test('a batch behind one that takes long is not refused in a tight loop', () => {
  const core = new SenderCore({
    ...{ lingerMs: 0, batchBytes: 200, requestBytesMax: 1_000_000, deliveryTimeoutMs: 1_000 },
    ...{ requestsInFlightMax: 5, idempotent: true, compression: { id: 0, level: undefined } },
  });
  core.setProducerId(1, 0);
  const delivery = { delivered: () => {}, failed: () => {} };
  const record = { timestamp: 0, key: null, value: new Uint8Array(10) };
  for (const number of [0, 1]) core.accumulator.appendToNew('t', 0, record, delivery, 0, 10, number, 0);
  const leaders = { leaderOf: () => 1 };
  const retryAtMs = 100;
  const refusal = { errorCode: ERROR_CODE.OUT_OF_ORDER_SEQUENCE_NUMBER, errorMessage: null };
  const [first, next] = core.plan(leaders, 0).requests;
  let second = next;
  let refused = 0;
  for (; second && refused < 50; refused += 1) {
    const [batch] = second.batches;
    if (!batch) throw new Error('an empty request');
    core.onAnswer(second, batch, { ...refusal, baseOffset: -1, logAppendTimeMs: -1 }, retryAtMs);
    core.onRequestDone(second);
    [second] = core.plan(leaders, 0).requests;
  }
  expect(refused).toBe(3);
  expect(core.plan(leaders, 0).wakeAtMs).toBe(retryAtMs);
  const [ahead] = first?.batches ?? [];
  if (!first || !ahead) throw new Error('nothing is ahead');
  core.onAnswer(first, ahead, { errorCode: ERROR_CODE.NONE, baseOffset: 0, logAppendTimeMs: -1 }, 0);
  core.onRequestDone(first);
  expect(core.plan(leaders, 0).requests).toHaveLength(1);
});
