import { expect, test } from 'vitest';
import { runPlan } from '../../../chaos/cluster/run.ts';
import { planOf, SCENARIOS } from '../../../chaos/schedule.ts';
import { checkSchedules, TIMEOUT_MS } from './support/schedules.ts';

const { any: _, ...focused } = SCENARIOS;

test.each(Object.entries(focused))(
  'a cluster keeps its invariants under 20 schedules of %s',
  async (_, plans) => {
    await checkSchedules(plans, 4, 20);
  },
  TIMEOUT_MS,
);

test('without faults nothing is refused', async () => {
  await runPlan({ seed: 1, nodes: 3, steps: [] });
});

test('the same plan twice is the same run, to the bit', async () => {
  for (const seed of [1, 2, 3]) {
    const first = await runPlan(planOf(seed));
    const second = await runPlan(planOf(seed));
    expect(second).toEqual(first);
    expect(first.acknowledged).toBeGreaterThan(0);
  }
});
