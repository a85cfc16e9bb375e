import { expect, test } from 'vitest';
import { runPlan } from '../../../chaos/cluster/run.ts';
import type { Plan } from '../../../chaos/plan.ts';
import { planOf, SCENARIOS, type ScenarioName } from '../../../chaos/scenarios.ts';
import { checkSchedules, TIMEOUT_MS } from './support/schedules.ts';

const RUNS: Record<Exclude<ScenarioName, 'any'>, number> = {
  short: 30,
  elections: 30,
  votes: 30,
  failedSyncs: 30,
  failovers: 30,
  joining: 20,
  racing: 5,
  rot: 10,
  badDisks: 10,
  voters: 20,
  contended: 30,
  upgrades: 20,
  cutOff: 3,
  deposed: 5,
  lagging: 3,
  silence: 3,
  late: 5,
  ends: 5,
  retention: 8,
  branches: 5,
  alternating: 3,
  unsynced: 8,
  marks: 3,
  torn: 5,
  fullDisks: 8,
  stops: 8,
  membership: 8,
  slowWriters: 3,
  overwrites: 3,
  gaps: 3,
  rejoins: 3,
  overtaken: 3,
  rottenTails: 5,
  untold: 5,
};

test.each(Object.entries(RUNS))(
  'a cluster keeps its invariants under schedules of %s (%i)',
  async (name, numRuns) => {
    await checkSchedules(SCENARIOS[name as ScenarioName], 4, numRuns);
  },
  TIMEOUT_MS,
);

test('without faults nothing is refused', async () => {
  const seeds = { seed: 1, diskSeed: 1, networkSeed: 1, workloadSeed: 1 };
  const pausesMs = { producers: 60, reader: 500, group: 300 };
  const plan: Plan = { ...seeds, nodes: 3, forMs: 5000, ratios: {}, pausesMs, steps: [] };
  const { acknowledged } = await runPlan(plan);
  expect(acknowledged).toBeGreaterThan(100);
});

test('the same plan twice is the same run, to the bit', async () => {
  for (const seed of [1, 2, 3]) {
    const first = await runPlan(planOf(seed));
    const second = await runPlan(planOf(seed));
    expect(second).toEqual(first);
    expect(first.acknowledged).toBeGreaterThan(0);
  }
});
