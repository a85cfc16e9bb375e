import { describe, expect, test } from 'vitest';
import { SimWorld } from '../../chaos/sim/world.ts';
import { AckQueue, type WaitOutcome } from '../../src/replication/ack-queue.ts';

function setUp() {
  const world = new SimWorld({ seed: 1 });
  const { clock, timers } = world.node('n').platform;
  const queue = new AckQueue(clock, timers);
  const outcomes: [number, WaitOutcome, number][] = [];
  const wait = (offset: number, timeoutMs: number) =>
    void queue.wait(offset, timeoutMs).then((outcome) => outcomes.push([offset, outcome, world.nowMs]));
  return { world, queue, outcomes, wait };
}

describe('AckQueue', () => {
  test('reaching an offset answers those at or below it, in order', async () => {
    const { world, queue, outcomes, wait } = setUp();
    for (const offset of [3, 5, 4, 9]) wait(offset, 1_000);
    queue.reach(5);
    await world.run(10);
    expect(outcomes.map(([offset]) => offset)).toEqual([3, 4, 5]);
    expect(queue.size).toBe(1);
  });

  test('each times out at its own deadline', async () => {
    const { world, queue, outcomes, wait } = setUp();
    wait(1, 300);
    wait(2, 100);
    wait(3, 200);
    await world.run(1_000);
    expect(outcomes).toEqual([
      [2, 'timedOut', 100],
      [3, 'timedOut', 200],
      [1, 'timedOut', 300],
    ]);
    expect(queue.size).toBe(0);
  });

  test('a timer left over from those who were served disturbs nobody', async () => {
    const { world, queue, outcomes, wait } = setUp();
    wait(1, 100);
    queue.reach(1);
    wait(2, 500);
    await world.run(400);
    expect(queue.size).toBe(1);
    queue.reach(2);
    await world.run(1_000);
    expect(outcomes.map(([, outcome]) => outcome)).toEqual(['reached', 'reached']);
  });

  test('abandons everybody, and can be used again', async () => {
    const { world, queue, outcomes, wait } = setUp();
    wait(1, 100);
    wait(2, 100);
    queue.abandon();
    wait(3, 100);
    queue.reach(3);
    await world.run(10);
    expect(outcomes.map(([, outcome]) => outcome)).toEqual(['abandoned', 'abandoned', 'reached']);
  });

  test('serves thousands without keeping those who are done', async () => {
    const { world, queue, outcomes, wait } = setUp();
    for (let offset = 1; offset <= 5_000; offset++) wait(offset, 1_000);
    for (let offset = 1; offset <= 5_000; offset++) queue.reach(offset);
    await world.run(1);
    expect(outcomes).toHaveLength(5_000);
    expect(queue.size).toBe(0);
  });
});
