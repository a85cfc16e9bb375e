import { expect, test } from 'vitest';
import { planOf } from '../../chaos/scenarios.ts';
import { shrunkPlan } from '../../chaos/shrink.ts';

/** A seed whose plan has many steps, a kill among them. */
const seed = Array.from({ length: 200 }, (_, index) => index).find((each) => {
  const { steps } = planOf(each);
  return steps.length > 8 && steps.some(({ fault }) => fault.kind === 'kill');
});

test('a plan is shrunk to what it needs to fail', async () => {
  if (seed === undefined) throw new Error('no seed has such a plan');
  const tried: string[] = [];
  const smallest = await shrunkPlan(
    seed,
    'any',
    async (plan) => {
      tried.push(JSON.stringify(plan));
      return plan.steps.some(({ fault }) => fault.kind === 'kill');
    },
    20_000,
  );
  expect(tried[0]).toBe(JSON.stringify(planOf(seed)));
  expect(smallest.seed).toBe(seed);
  expect(smallest.steps.map(({ fault }) => fault.kind)).toEqual(['kill']);
});

test('what does not fail stays as it is, and time is bounded', async () => {
  expect(await shrunkPlan(3, 'any', async () => false, 1000)).toEqual(planOf(3));
  expect(await shrunkPlan(3, 'any', async () => true, -1)).toEqual(planOf(3));
});
