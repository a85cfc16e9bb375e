import { expect, test } from 'vitest';
import { SenderCore } from '../../src/client/sender.ts';
import type { ProduceWork } from '../../src/client/sender-types.ts';
import { ERROR_CODE } from '../../src/protocol/errors.ts';

const REFUSAL = { errorMessage: null, baseOffset: -1, logAppendTimeMs: -1 };

/** One batch, sent to node 1, which does not answer before node 2 is named as the leader: it may be in the log. */
function movedBatch() {
  const core = new SenderCore({
    ...{ lingerMs: 0, batchBytes: 200, requestBytesMax: 1_000_000, deliveryTimeoutMs: 120_000 },
    ...{ requestsInFlightMax: 5, idempotent: true, compression: { id: 0, level: undefined } },
  });
  core.setProducerId(1, 0);
  const delivery = { delivered: () => {}, failed: () => {} };
  const record = { timestamp: 0, key: null, value: new Uint8Array(10) };
  core.accumulator.appendToNew('t', 0, record, delivery, 0, 10, 0, 0);
  let leader = 1;
  const leaders = { leaderOf: () => leader };
  core.plan(leaders, 0);
  leader = 2;
  core.onLeadersChanged(leaders);
  let nowMs = 0;
  const refuse = (code: keyof typeof ERROR_CODE): { producerEpoch: number; nodeId: number } => {
    const [work] = core.plan(leaders, nowMs).requests as [ProduceWork];
    const [batch] = work.batches;
    if (!batch) throw new Error('an empty request');
    const { producerEpoch } = core.accumulator.queue('t', 0);
    nowMs += 100;
    core.onAnswer(work, batch, { ...REFUSAL, errorCode: ERROR_CODE[code] }, nowMs);
    core.onRequestDone(work);
    return { producerEpoch, nodeId: work.nodeId };
  };
  const moveTo = (id: number) => {
    leader = id;
    core.onLeadersChanged(leaders);
  };
  return { refuse, moveTo };
}

test('a leader that was replaced and misses earlier batches does not make the producer begin a new epoch', () => {
  const { refuse, moveTo } = movedBatch();
  for (let i = 0; i < 5; i += 1) refuse('OUT_OF_ORDER_SEQUENCE_NUMBER');
  moveTo(1);
  expect(refuse('NOT_LEADER_OR_FOLLOWER')).toEqual({ producerEpoch: 0, nodeId: 1 });
});

test('a leader that goes on missing them is one: the log lost its end', () => {
  const { refuse } = movedBatch();
  let refusals = 0;
  while (refuse('OUT_OF_ORDER_SEQUENCE_NUMBER').producerEpoch === 0 && refusals < 100) refusals += 1;
  expect(refusals).toBe(14);
});
