import * as fc from 'fast-check';
import { RunFailure, runPlan } from '../../../../chaos/cluster/run.ts';
import type { Plan } from '../../../../chaos/plan.ts';

/** With a failing plan at hand, so long is spent on shrinking it. */
const SHRINK_TIME_MAX_MS = 120_000;
/** Far beyond what the plans take, so that a busy machine fails nothing. */
export const TIMEOUT_MS = 900_000;

/** Runs that many plans, always the same ones (`make sim` draws others), and shrinks the first that fails. */
export async function checkSchedules(
  plans: fc.Arbitrary<Plan>,
  seed: number,
  numRuns: number,
): Promise<void> {
  let shrinkUntilMs = Number.POSITIVE_INFINITY;
  const check = async (plan: Plan) => {
    // Whatever is tried from here on counts as passed, which ends the shrinking.
    if (performance.now() > shrinkUntilMs) return;
    try {
      await runPlan(plan);
    } catch (error) {
      if (!(error instanceof RunFailure)) throw error;
      shrinkUntilMs = Math.min(shrinkUntilMs, performance.now() + SHRINK_TIME_MAX_MS);
      const message = `${error.verdict}: ${error.message}\nmake sim PLAN='${JSON.stringify(plan)}'`;
      throw new Error(message, { cause: error.cause });
    }
  };
  await fc.assert(fc.asyncProperty(plans, check), { seed, numRuns });
}
