import { test } from 'vitest';
import { planArbitrary } from '../../../chaos/plan.ts';
import { checkSchedules, TIMEOUT_MS } from './support/schedules.ts';

test(
  'a cluster keeps its invariants under 120 schedules of any faults (3 of 3)',
  async () => {
    await checkSchedules(planArbitrary, 3, 120);
  },
  TIMEOUT_MS,
);
