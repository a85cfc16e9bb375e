/**
 * Fault plans: what is done to a cluster, when, and for how long. Plans are plain data, so that fast-check can shrink one
 * that finds a bug, and a run can be repeated from it. Every fault ends by itself, and no plan takes more than the
 * replicas can repair: a failed run is a bug.
 *
 * `planArbitrary` draws plans, `planOf` the one that belongs to a seed; `cluster/faults.ts` carries them out.
 */

import * as fc from 'fast-check';

/** Whom a fault strikes, resolved when it does. */
export type Target =
  | { readonly who: 'leader'; readonly partition: number }
  | { readonly who: 'follower'; readonly partition: number }
  | { readonly who: 'controller' }
  | { readonly who: 'node'; readonly id: number };

export type Fault =
  /** The process dies (or the power goes, and unsynced data with it) and starts again after a while. */
  | { readonly kind: 'kill'; readonly target: Target; readonly how: 'process' | 'power' }
  /** All nodes lose power at once. */
  | { readonly kind: 'blackout' }
  /** Nothing passes between the target and the other nodes; clients reach it still. */
  | { readonly kind: 'isolate'; readonly target: Target; readonly direction: 'both' | 'in' | 'out' }
  /** Nothing passes between two nodes. */
  | { readonly kind: 'cut'; readonly between: readonly [number, number]; readonly isOneWay: boolean }
  /** The target and the clients do not hear each other. */
  | { readonly kind: 'cutClients'; readonly target: Target }
  | { readonly kind: 'pause'; readonly target: Target }
  | { readonly kind: 'slowNetwork'; readonly latencyMs: number; readonly jitterMs: number }
  /** Connections break, messages are lost, repeated or overtake each other: chances per message. */
  | {
      readonly kind: 'badNetwork';
      readonly resetRate: number;
      readonly lossRate: number;
      readonly reorderRate: number;
      readonly duplicateRate: number;
    }
  | { readonly kind: 'slowDisk'; readonly target: Target; readonly syncMs: number }
  | { readonly kind: 'clockJump'; readonly target: Target; readonly jumpMs: number }
  | { readonly kind: 'clockDrift'; readonly target: Target; readonly rate: number }
  /** A member of the consumer group is killed, and another takes its machine. */
  | { readonly kind: 'killMember'; readonly member: number }
  /** An administrator creates, alters and deletes topics, or adds partitions. */
  | { readonly kind: 'administer'; readonly act: 'create' | 'delete' | 'alter' | 'grow' };

export interface Step {
  /** Since the step before. */
  readonly afterMs: number;
  /** How long the fault lasts; faults may overlap. */
  readonly forMs: number;
  readonly fault: Fault;
}

export interface Plan {
  /** Of the simulated world: delays, disks, ids. */
  readonly seed: number;
  readonly steps: readonly Step[];
}

/** How many partitions of the topic there are to aim at. */
export const PARTITIONS = 3;
export const NODES = 3;

const node = fc.integer({ min: 1, max: NODES });
const partition = fc.integer({ min: 0, max: PARTITIONS - 1 });
const target: fc.Arbitrary<Target> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ who: fc.constant('leader' as const), partition }) },
  { weight: 2, arbitrary: fc.record({ who: fc.constant('follower' as const), partition }) },
  { weight: 2, arbitrary: fc.constant({ who: 'controller' as const }) },
  { weight: 1, arbitrary: fc.record({ who: fc.constant('node' as const), id: node }) },
);
const pair = fc.constantFrom<readonly [number, number]>([1, 2], [2, 3], [1, 3], [2, 1], [3, 2], [3, 1]);
const rate = (max: number) => fc.integer({ min: 0, max: 4 }).map((quarters) => (quarters * max) / 4);
const kind = <const K extends string>(name: K) => fc.constant(name);

const fault: fc.Arbitrary<Fault> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: kind('kill'), target, how: fc.constantFrom('process', 'power') }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('blackout') }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: kind('isolate'), target, direction: fc.constantFrom('both', 'in', 'out') }),
  },
  { weight: 2, arbitrary: fc.record({ kind: kind('cut'), between: pair, isOneWay: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('cutClients'), target }) },
  { weight: 3, arbitrary: fc.record({ kind: kind('pause'), target }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('slowNetwork'),
      latencyMs: fc.constantFrom(5, 50, 400),
      jitterMs: fc.constantFrom(0, 20, 200),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: kind('badNetwork'),
      resetRate: rate(0.02),
      lossRate: rate(0.02),
      reorderRate: rate(0.05),
      duplicateRate: rate(0.05),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: kind('slowDisk'), target, syncMs: fc.constantFrom(20, 200, 800) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: kind('clockJump'), target, jumpMs: fc.constantFrom(-3_600_000, 3_600_000) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: kind('clockDrift'), target, rate: fc.constantFrom(0.9, 1.1) }) },
  { weight: 2, arbitrary: fc.record({ kind: kind('killMember'), member: fc.integer({ min: 0, max: 1 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: kind('administer'),
      act: fc.constantFrom('create', 'delete', 'alter', 'grow'),
    }),
  },
);

const step: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 3000 })),
  forMs: fc.oneof(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 5000 })),
  fault,
});

/** Any plan of up to `stepsMax` steps. */
export const planArbitrary = (stepsMax = 8): fc.Arbitrary<Plan> =>
  fc.record({
    seed: fc.noShrink(fc.integer({ min: 0, max: 0x7fffffff })),
    steps: fc.array(step, { minLength: 0, maxLength: stepsMax, size: 'max' }),
  });

/** The plan that belongs to a seed. */
export function planOf(seed: number, arbitrary = planArbitrary()): Plan {
  const [plan] = fc.sample(arbitrary, { seed, numRuns: 1 });
  if (plan === undefined) throw new Error(`no plan for seed ${seed}`);
  return { ...plan, seed };
}
