/**
 * Plans of runs: what is done to a cluster, when, and for how long, and how busy its clients are. Plans are plain data, so
 * that fast-check can shrink one that finds a bug, and a run can be repeated from it.
 *
 * `planOf` draws the plan that belongs to a seed. `faults/` has the kinds of faults, `workloads/` what clients do,
 * `scenarios.ts` the plans that dwell on one matter.
 */

import * as fc from 'fast-check';
import { FAULTS, type Fault } from './faults/index.ts';
import { VOTERS } from './faults/target.ts';
import { WORKLOADS } from './workloads/index.ts';

export interface Step {
  /** Since the step before. */
  readonly afterMs: number;
  /** How long the fault lasts; faults may overlap. */
  readonly forMs: number;
  readonly fault: Fault;
}

export interface Plan {
  /** Of the processes: ids, election timeouts, and whatever has no seed of its own. */
  readonly seed: number;
  readonly diskSeed: number;
  readonly networkSeed: number;
  readonly workloadSeed: number;
  /** How many nodes; the first three are the voters. */
  readonly nodes: number;
  /** How long clients work and faults strike, at least; then everything is healed. */
  readonly forMs: number;
  /** How often each kind of fault was drawn, beside the others; for people, since `steps` has what was drawn. */
  readonly ratios: Readonly<Record<string, number>>;
  /** The mean pause between two acts of each workload; 0, or none: it does not run. */
  readonly pausesMs: Readonly<Record<string, number>>;
  readonly steps: readonly Step[];
}

export const PLAN_MS = 60_000;
const STEPS_MAX = 40;
const SEED_MAX = 0x7fffffff;

/** A seed whose size tells nothing, so none is simpler than another. */
export const aSeed = fc.noShrink(fc.integer({ min: 0, max: SEED_MAX }));

/** Each plan leaves out about half of the kinds, so that the others show what they do among themselves (swarm testing). */
const ratios: fc.Arbitrary<Record<string, number>> = fc.record(
  Object.fromEntries(FAULTS.map(({ kind, weight }) => [kind, fc.constantFrom(0, 0, weight, 3 * weight)])),
);

const pausesMs: fc.Arbitrary<Record<string, number>> = fc.record(
  Object.fromEntries(WORKLOADS.map((workload) => [workload.name, fc.constantFrom(...workload.pausesMs)])),
);

/** Faults of the kinds that have a ratio, as often as it says. */
function faultOf(ratioOf: Record<string, number>): fc.Arbitrary<Fault> | undefined {
  const drawn = FAULTS.flatMap((kind) => {
    const weight = ratioOf[kind.kind] ?? 0;
    const params = kind.params as fc.Arbitrary<object>;
    const arbitrary = params.map((drawn) => ({ kind: kind.kind, ...drawn }) as Fault);
    return weight === 0 ? [] : [{ weight, arbitrary }];
  });
  return drawn.length === 0 ? undefined : fc.oneof(...drawn);
}

/** Bursts of faults, and pauses long enough for the cluster to come to rest between. */
const afterMs = fc.oneof(
  fc.integer({ min: 0, max: 60 }),
  fc.integer({ min: 0, max: 700 }),
  fc.integer({ min: 0, max: 3000 }),
  fc.integer({ min: 0, max: 8000 }),
);
const forMs = fc.oneof(
  fc.integer({ min: 1, max: 400 }),
  fc.integer({ min: 1, max: 5000 }),
  fc.integer({ min: 1, max: 12_000 }),
);

/** No step begins after the plan's end. */
function within(steps: readonly Step[], endMs: number): Step[] {
  let atMs = 0;
  return steps.filter((step) => {
    atMs += step.afterMs;
    return atMs <= endMs;
  });
}

/** Any plan. */
export const planArbitrary: fc.Arbitrary<Plan> = ratios.chain((drawn) => {
  const fault = faultOf(drawn);
  const steps = fault
    ? // Unbiased: half of all plans would be drawn with next to no faults, and cost nearly as much.
      fc.noBias(fc.array(fc.record({ afterMs, forMs, fault }), { maxLength: STEPS_MAX, size: 'max' }))
    : fc.constant([]);
  return fc.record({
    seed: aSeed,
    diskSeed: aSeed,
    networkSeed: aSeed,
    workloadSeed: aSeed,
    nodes: fc.constantFrom(VOTERS, VOTERS, VOTERS, VOTERS + 1, VOTERS + 1, VOTERS + 2),
    forMs: fc.constant(PLAN_MS),
    ratios: fc.constant(drawn),
    pausesMs,
    steps: steps.map((all) => within(all, PLAN_MS)),
  });
});
