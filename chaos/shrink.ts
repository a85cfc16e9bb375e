import * as fc from 'fast-check';
import { RunFailure, runPlan } from './cluster/run.ts';
import type { Plan } from './plan.ts';
import { planOf, SCENARIOS, type ScenarioName } from './scenarios.ts';

/** Whether a plan still fails, and so may be shrunk further. */
export type Fails = (plan: Plan) => Promise<boolean>;

/** Fails in the same way, whatever is said of it: what it was about may have moved. */
export const failsWith =
  (verdict: RunFailure['verdict']): Fails =>
  async (plan) => {
    try {
      await runPlan(plan);
      return false;
    } catch (error) {
      if (!(error instanceof RunFailure)) throw error;
      return error.verdict === verdict;
    }
  };

/**
 * Makes the plan that belongs to a seed smaller for as long as it `fails`, with fast-check, and for `timeMsMax` of real time
 * at most. Returns the smallest that failed.
 */
export async function shrunkPlan(
  seed: number,
  scenario: ScenarioName,
  fails: Fails,
  timeMsMax: number,
): Promise<Plan> {
  const untilMs = performance.now() + timeMsMax;
  const property = fc.asyncProperty(SCENARIOS[scenario] as fc.Arbitrary<Plan>, async (drawn) => {
    // Whatever is tried from here on counts as passed, which ends the shrinking.
    return performance.now() > untilMs || !(await fails({ ...drawn, seed }));
  });
  // As `planOf` draws it.
  const { counterexample } = await fc.check(property, { seed, numRuns: 1 });
  return counterexample ? { ...counterexample[0], seed } : planOf(seed, scenario);
}
