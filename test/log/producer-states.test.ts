import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeProducers, encodeProducers } from '../../src/log/checkpoint-format.ts';
import type { PartitionLog } from '../../src/log/partition-log.ts';
import { addSequence, ProducerStates } from '../../src/log/producer-states.ts';
import { readBatchHeader, stampBatch } from '../../src/protocol/record-batch.ts';
import { batch, TestNode, TOPIC } from './support.ts';

const SEQUENCE_MAX = 0x7fffffff;

function header(baseSequence: number, count = 1, producerEpoch = 0, producerId = 7, baseOffset = 0) {
  const bytes = batch(Array.from({ length: count }, String), { producerId, producerEpoch, baseSequence });
  stampBatch(bytes, 0, baseOffset, 0);
  return readBatchHeader(bytes);
}

describe('the producer state', () => {
  test('a producer it does not know begins at sequence 0, and then takes the next', () => {
    const states = new ProducerStates(10);
    expect(() => states.check(header(41))).toThrow(expect.objectContaining({ code: 'UNKNOWN_PRODUCER_ID' }));
    expect(states.check(header(0, 42))).toBeUndefined();
    states.update(header(0, 42), 0);
    expect(states.check(header(42))).toBeUndefined();
    expect(() => states.check(header(43))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
    );
    expect(() => states.check(header(40))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
    );
  });

  test('fences older epochs, and a newer one begins at sequence 0', () => {
    const states = new ProducerStates(10);
    states.update(header(0, 3, 2), 0);
    expect(() => states.check(header(3, 1, 1))).toThrow(
      expect.objectContaining({ code: 'INVALID_PRODUCER_EPOCH' }),
    );
    expect(() => states.check(header(3, 1, 3))).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }),
    );
    expect(states.check(header(0, 1, 3))).toBeUndefined();
  });

  test('sequences wrap around', () => {
    expect(addSequence(SEQUENCE_MAX, 1)).toBe(0);
    const states = new ProducerStates(10);
    states.update(header(SEQUENCE_MAX - 1, 4), 0);
    expect(states.check(header(2))).toBeUndefined();
    expect(states.check(header(SEQUENCE_MAX - 1, 4))).toMatchObject({ baseOffset: 0, lastOffset: 3 });
  });

  test('the longest silent producer is forgotten first, and silent ones expire', () => {
    const states = new ProducerStates(2);
    for (const [producerId, at] of [1, 2, 1, 3].entries()) states.update(header(0, 1, 0, at), producerId);
    expect(states.entries().map(({ producerId }) => producerId)).toEqual([1, 3]);
    states.expire(3);
    expect(states.entries().map(({ producerId }) => producerId)).toEqual([3]);
  });

  test('snapshots keep everything, and a damaged one is refused', () => {
    const states = new ProducerStates(10);
    for (let i = 0; i < 8; i++) states.update(header(i * 2, 2, 1, 5 + (i % 2), i * 2), i);
    const bytes = encodeProducers(states.entries());
    expect(decodeProducers(bytes)).toEqual(states.entries());
    for (let at = 0; at < bytes.length; at++) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 1;
      expect(decodeProducers(damaged)).toBeUndefined();
      expect(decodeProducers(bytes.slice(0, at))).toBeUndefined();
    }
  });
});

describe('retries of an idempotent producer', () => {
  type Step = 'send' | 'retry' | 'other' | 'sync' | 'process' | 'clean' | 'truncate' | 'follow';
  const steps = fc.array(
    fc.tuple(
      fc.constantFrom<Step>(
        'send',
        'send',
        'send',
        'retry',
        'retry',
        'other',
        'sync',
        'process',
        'clean',
        'truncate',
        'follow',
      ),
      fc.integer({ min: 0, max: 4 }),
    ),
    { minLength: 5, maxLength: 40 },
  );

  test('of any of the last five batches never duplicate: also after restarts, truncations and on a follower', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), steps, async (seed, list) => {
        const node = new TestNode(seed, { segmentBytes: 500 }, { tailCacheBytesMax: 300 });
        let directory = await node.open();
        let log: PartitionLog = await node.settle(directory.create(TOPIC, 0, node.config));
        let epoch = 1;
        /** What the producer sent and the log still has, in order. */
        const sent: { baseSequence: number; count: number; baseOffset: number }[] = [];
        let nextSequence = 0;
        const bytesOf = (baseSequence: number, count: number) =>
          batch(
            Array.from({ length: count }, (_, i) => `${baseSequence}+${i}`),
            { producerId: 9, producerEpoch: 0, baseSequence },
          );
        for (const [step, n] of list) {
          switch (step) {
            case 'send': {
              const result = log.appendAsLeader(bytesOf(nextSequence, n + 1), epoch, 0);
              expect(result.duplicate).toBe(false);
              sent.push({ baseSequence: nextSequence, count: n + 1, baseOffset: result.baseOffset });
              nextSequence = addSequence(nextSequence, n + 1);
              break;
            }
            case 'retry': {
              const again = sent.slice(-5)[n];
              if (again === undefined) break;
              const end = log.logEndOffset;
              const result = log.appendAsLeader(bytesOf(again.baseSequence, again.count), epoch, 0);
              expect(result).toEqual({
                baseOffset: again.baseOffset,
                lastOffset: again.baseOffset + again.count - 1,
                duplicate: true,
              });
              expect(log.logEndOffset).toBe(end);
              break;
            }
            case 'other':
              log.appendAsLeader(batch(['other']), epoch, 0);
              break;
            case 'follow': {
              const bytes = bytesOf(nextSequence, n + 1);
              stampBatch(bytes, 0, log.logEndOffset, epoch);
              sent.push({ baseSequence: nextSequence, count: n + 1, baseOffset: log.logEndOffset });
              log.appendAsFollower(bytes);
              nextSequence = addSequence(nextSequence, n + 1);
              break;
            }
            case 'sync':
              await node.sync(log);
              break;
            case 'process':
            case 'clean': {
              await node.sync(log);
              if (step === 'clean') await node.settle(directory.close());
              node.crash('process');
              directory = await node.open();
              log = directory.get(TOPIC, 0) ?? expect.fail('the log is gone');
              break;
            }
            case 'truncate': {
              const cut = sent.at(-1 - n);
              if (cut === undefined) break;
              await node.settle(log.truncateTo(cut.baseOffset));
              sent.length = sent.indexOf(cut);
              nextSequence = cut.baseSequence;
              epoch += 1;
              break;
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });
});
