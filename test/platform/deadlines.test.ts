import { expect, test } from 'vitest';
import { SimWorld } from '../../chaos/sim/world.ts';
import { Deadlines } from '../../src/platform/deadlines.ts';

function start() {
  const world = new SimWorld({ seed: 1 });
  const { clock, timers } = world.node('n1').platform;
  let timersSet = 0;
  const counted = {
    ...timers,
    set: (delayMs: number, fn: () => void) => {
      timersSet++;
      return timers.set(delayMs, fn);
    },
  };
  const reached: string[] = [];
  const deadlines = new Deadlines(clock, counted);
  const set = (delayMs: number) =>
    deadlines.set(delayMs, () => reached.push(`${delayMs} at ${Math.round(world.nowMs)}`));
  return { world, deadlines, set, reached, timersSet: () => timersSet };
}

test('each is reached in time, whatever the order in which they were set', async () => {
  const { world, set, reached } = start();
  for (const delayMs of [300, 100, 200, 100]) set(delayMs);
  await world.run(1000);
  expect(reached).toEqual(['100 at 100', '100 at 100', '200 at 200', '300 at 300']);
});

test('to set and to lift costs no timer of its own', async () => {
  const { world, deadlines, set, reached, timersSet } = start();
  for (let i = 0; i < 100; i++) {
    const deadline = set(500);
    await world.run(world.nowMs + 1);
    deadlines.lift(deadline);
  }
  const last = set(450);
  await world.run(2000);
  expect(reached).toEqual(['450 at 550']);
  expect(timersSet()).toBe(2);
  deadlines.lift(last);
});

test('one that is reached may lift another, and set a new one', async () => {
  const { world, deadlines, set, reached } = start();
  let other: ReturnType<typeof set> | undefined;
  deadlines.set(100, () => {
    if (other) deadlines.lift(other);
    set(50);
  });
  other = set(100);
  await world.run(1000);
  expect(reached).toEqual(['50 at 150']);
});

test('none is reached once all were lifted', async () => {
  const { world, deadlines, set, reached } = start();
  set(100);
  deadlines.clear();
  await world.run(1000);
  expect(reached).toEqual([]);
  set(100);
  await world.run(2000);
  expect(reached).toEqual(['100 at 1100']);
});
