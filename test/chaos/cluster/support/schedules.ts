import * as fc from 'fast-check';
import { RunFailure, runPlan } from '../../../../chaos/cluster/run.ts';
import type { Plan } from '../../../../chaos/schedule.ts';

/** With a failing plan at hand, so long is spent on shrinking it. */
const SHRINK_TIME_MAX_MS = 240_000;
export const TIMEOUT_MS = SHRINK_TIME_MAX_MS + 60_000;

/** Runs that many plans, always the same ones (`make sim` draws others), and shrinks the first that fails. */
export async function checkSchedules(
  plans: fc.Arbitrary<Plan>,
  seed: number,
  numRuns: number,
): Promise<void> {
  await fc.assert(fc.asyncProperty(plans, check), {
    seed,
    numRuns,
    interruptAfterTimeLimit: SHRINK_TIME_MAX_MS,
    markInterruptAsFailure: true,
  });
}

async function check(plan: Plan): Promise<void> {
  try {
    await runPlan(plan);
  } catch (error) {
    if (!(error instanceof RunFailure)) throw error;
    const message = `${error.verdict}: ${error.message}\nmake sim PLAN='${JSON.stringify(plan)}'`;
    throw new Error(message, { cause: error.cause });
  }
}
