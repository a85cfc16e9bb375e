import { expect, test } from 'vitest';
import { runPlan } from '../../../chaos/cluster/run.ts';
import { planOf, SCENARIOS, type ScenarioName } from '../../../chaos/schedule.ts';
import { checkSchedules, TIMEOUT_MS } from './support/schedules.ts';

/** Long plans take ten times as long as the others. */
const RUNS: Record<Exclude<ScenarioName, 'any'>, number> = {
  long: 5,
  elections: 30,
  votes: 30,
  failedSyncs: 30,
  failovers: 30,
  joining: 20,
};

test.each(Object.entries(RUNS))(
  'a cluster keeps its invariants under schedules of %s (%i)',
  async (name, numRuns) => {
    await checkSchedules(SCENARIOS[name as ScenarioName], 4, numRuns);
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
