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
  /** A graceful stop, cut short by a kill when it takes too long, and a start after a while. */
  | { readonly kind: 'stop'; readonly target: Target }
  /** The next sync of the disk fails: the node must end itself. It starts again after a while. */
  | { readonly kind: 'failSync'; readonly target: Target }
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
  /** How many nodes; the first three are the voters. */
  readonly nodes: number;
  readonly steps: readonly Step[];
}

/** How many partitions of the topic there are to aim at. */
export const PARTITIONS = 3;
const VOTERS = 3;

const node = fc.integer({ min: 1, max: VOTERS });
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
  { weight: 3, arbitrary: fc.record({ kind: kind('stop'), target }) },
  { weight: 1, arbitrary: fc.record({ kind: kind('failSync'), target }) },
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
    nodes: fc.constantFrom(VOTERS, VOTERS, VOTERS + 1),
    steps: fc.array(step, { minLength: 0, maxLength: stepsMax, size: 'max' }),
  });

/** A kill, a restart, and time enough to be at it again before everything has settled. */
const quickKill = (who: fc.Arbitrary<Target>): fc.Arbitrary<Step> =>
  fc.record({
    afterMs: fc.integer({ min: 0, max: 700 }),
    forMs: fc.integer({ min: 1, max: 500 }),
    fault: fc.record({ kind: kind('kill'), target: who, how: fc.constantFrom('process', 'power') }),
  });

const lasting = (forMs: number, what: fc.Arbitrary<Fault>): fc.Arbitrary<Step> =>
  fc.record({ afterMs: fc.integer({ min: 0, max: 300 }), forMs: fc.constant(forMs), fault: what });

const slowDisks = (syncMs: number): fc.Arbitrary<Fault> =>
  fc.record({
    kind: kind('slowDisk'),
    target: fc.record({ who: fc.constant('node' as const), id: node }),
    syncMs: fc.constant(syncMs),
  });

const aPlan = (steps: fc.Arbitrary<Step[]>): fc.Arbitrary<Plan> =>
  fc.record({
    seed: fc.noShrink(fc.integer({ min: 0, max: 0x7fffffff })),
    nodes: fc.constant(VOTERS),
    steps,
  });

const anyNode = fc.record({ who: fc.constant('node' as const), id: node });
const theController = fc.constant({ who: 'controller' as const });
const follower = fc.record({ who: fc.constant('follower' as const), partition });
const leader = fc.record({ who: fc.constant('leader' as const), partition });

/** Plans that dwell on one matter, for bugs that plans of any kind reach seldom. */
export const SCENARIOS = {
  any: planArbitrary(),
  /** The same, with several times as many steps. */
  long: planArbitrary(40),
  /** Elections under way while voters with slow disks die and come back. */
  elections: aPlan(
    fc
      .tuple(
        fc.array(lasting(20_000, slowDisks(30)), { minLength: 2, maxLength: 3 }),
        fc.array(quickKill(fc.oneof(theController, anyNode)), { minLength: 6, maxLength: 12, size: 'max' }),
      )
      .map(([slow, kills]) => [...slow, ...kills]),
  ),
  /** The power goes while voters with slow disks are electing. */
  votes: aPlan(
    fc
      .array(
        fc.tuple(
          fc.record({
            afterMs: fc.integer({ min: 300, max: 1500 }),
            forMs: fc.integer({ min: 1, max: 200 }),
            fault: fc.record({ kind: kind('kill'), target: theController, how: kind('process') }),
          }),
          fc.record({
            afterMs: fc.integer({ min: 0, max: 500 }),
            forMs: fc.integer({ min: 1, max: 50 }),
            fault: fc.record({ kind: kind('blackout') }),
          }),
        ),
        { minLength: 3, maxLength: 6, size: 'max' },
      )
      .map((pairs) => [
        ...[1, 2, 3].map((id) => ({
          afterMs: 0,
          forMs: 20_000,
          fault: { kind: 'slowDisk', target: { who: 'node', id }, syncMs: 60 } as const,
        })),
        ...pairs.flat(),
      ]),
  ),
  /** Syncs fail, and then the power does. */
  failedSyncs: aPlan(
    fc.array(
      fc.oneof(
        fc.record({
          afterMs: fc.integer({ min: 0, max: 600 }),
          forMs: fc.integer({ min: 1, max: 300 }),
          fault: fc.record({ kind: kind('failSync'), target: fc.oneof(anyNode, theController) }),
        }),
        quickKill(anyNode),
      ),
      { minLength: 4, maxLength: 12, size: 'max' },
    ),
  ),
  /** KIP-101 and KIP-279: fast double fail-overs while replicas are not even. */
  failovers: aPlan(
    fc
      .tuple(
        fc.array(lasting(20_000, slowDisks(20)), { minLength: 0, maxLength: 2 }),
        fc.array(quickKill(fc.oneof(leader, follower)), { minLength: 5, maxLength: 10, size: 'max' }),
      )
      .map(([slow, kills]) => [...slow, ...kills]),
  ),
  /** Replicas join and leave the ISR while changes of it and their answers are lost. */
  joining: aPlan(
    fc
      .tuple(
        lasting(
          20_000,
          fc.constant({
            kind: 'badNetwork',
            resetRate: 0,
            lossRate: 0.08,
            reorderRate: 0,
            duplicateRate: 0,
          } as const),
        ),
        fc.array(
          fc.oneof(
            quickKill(follower),
            fc.record({
              afterMs: fc.integer({ min: 0, max: 1500 }),
              forMs: fc.integer({ min: 1000, max: 4000 }),
              fault: fc.record({ kind: kind('pause'), target: follower }),
            }),
          ),
          { minLength: 4, maxLength: 8, size: 'max' },
        ),
      )
      .map(([bad, steps]) => [bad, ...steps]),
  ),
} as const satisfies Record<string, fc.Arbitrary<Plan>>;

export type ScenarioName = keyof typeof SCENARIOS;

/** The plan that belongs to a seed. */
export function planOf(seed: number, scenario: ScenarioName = 'any'): Plan {
  const [plan] = fc.sample(SCENARIOS[scenario], { seed, numRuns: 1 });
  if (plan === undefined) throw new Error(`no plan for seed ${seed}`);
  return { ...plan, seed };
}
