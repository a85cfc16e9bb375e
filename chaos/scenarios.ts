import * as fc from 'fast-check';
import { DWELLING } from './dwelling.ts';
import { bitRot } from './faults/bit-rot.ts';
import { lyingSync } from './faults/lying-sync.ts';
import { misdirectedWrite } from './faults/misdirected-write.ts';
import { aFollower, aLeader, anyNode, theController, VOTERS } from './faults/target.ts';
import { tornWrites } from './faults/torn-writes.ts';
import { NARROW } from './narrow.ts';
import { type Plan, planArbitrary } from './plan.ts';
import { aPlan, BUSY_MS, brief, cutOff, kind, lasting, quickKill, slowDisks } from './scenario-parts.ts';

const SHORT_STEPS_MAX = 8;

const shortPlan: fc.Arbitrary<Plan> = planArbitrary.map((plan) => ({
  ...plan,
  forMs: 0,
  pausesMs: { ...BUSY_MS, topics: 1000, partitions: 2000, configs: 1000 },
  steps: plan.steps
    .slice(0, SHORT_STEPS_MAX)
    .map((step) => ({ ...step, afterMs: step.afterMs / 2, forMs: step.forMs / 2 })),
}));

const joining = aPlan(
  fc
    .tuple(
      lasting(20_000, fc.constant({ kind: 'lostMessages', lossRate: 0.08 } as const)),
      fc.array(
        fc.oneof(
          quickKill(aFollower),
          fc.record({
            afterMs: fc.integer({ min: 0, max: 1500 }),
            forMs: fc.integer({ min: 1000, max: 4000 }),
            fault: fc.record({ kind: kind('pause'), target: aFollower }),
          }),
        ),
        { minLength: 4, maxLength: 8, size: 'max' },
      ),
    )
    .map(([bad, steps]) => [bad, ...steps]),
);

/** Plans that dwell on one matter, for bugs that plans of any kind reach seldom. */
export const SCENARIOS = {
  any: planArbitrary,
  /** A few faults of any kind among busy clients. */
  short: shortPlan,
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
        fc.array(quickKill(fc.oneof(aLeader, aFollower)), { minLength: 5, maxLength: 10, size: 'max' }),
      )
      .map(([slow, kills]) => [...slow, ...kills]),
  ),
  /** Replicas join and leave the ISR while changes of it and their answers are lost. */
  joining,
  /** The same, while the metadata of their topic change as well. */
  racing: joining.map((plan): Plan => ({ ...plan, pausesMs: { ...plan.pausesMs, configs: 30 } })),
  /** Votes are given and taken all the time, while their leaders die, are cut off, and lose their disks. */
  voters: fc
    .tuple(
      aPlan(
        fc.array(
          fc.oneof(
            { weight: 3, arbitrary: quickKill(fc.oneof(theController, anyNode)) },
            {
              weight: 2,
              arbitrary: brief(1500, fc.constantFrom(cutOff('both'), cutOff('out'), cutOff('in'))),
            },
            { weight: 1, arbitrary: brief(1500, fc.record({ kind: kind('pause'), target: theController })) },
            { weight: 1, arbitrary: brief(200, fc.record({ kind: kind('blackout') })) },
            { weight: 1, arbitrary: brief(3000, slowDisks(60)) },
            // It waits for a cluster that is whole again.
            {
              weight: 2,
              arbitrary: fc.record({
                afterMs: fc.integer({ min: 1500, max: 3000 }),
                forMs: fc.integer({ min: 1, max: 3000 }),
                fault: fc.record({ kind: kind('wipeDisk'), target: fc.oneof(theController, anyNode) }),
              }),
            },
          ),
          { minLength: 4, maxLength: 14, size: 'max' },
        ),
      ),
      fc.constantFrom(VOTERS, VOTERS + 1, VOTERS + 2, VOTERS + 2),
    )
    .map(([plan, nodes]): Plan => ({ ...plan, nodes, pausesMs: { voters: 200, producers: 300 } })),
  /** Bits rot on one node after the other, with time enough between to make each good. */
  rot: aPlan(
    fc.array(
      fc.record({
        afterMs: fc.integer({ min: 1500, max: 8000 }),
        forMs: fc.integer({ min: 1, max: 1500 }),
        fault: bitRot.params.map((params) => ({ kind: bitRot.kind, ...params })),
      }),
      { minLength: 4, maxLength: 8, size: 'max' },
    ),
  ),
  /** Nodes are upgraded one by one, with hardly any time between, while others die. */
  upgrades: aPlan(
    fc.array(
      fc.oneof(
        fc.record({
          afterMs: fc.integer({ min: 0, max: 3000 }),
          forMs: fc.integer({ min: 1, max: 1500 }),
          fault: fc.record({ kind: kind('upgrade'), how: fc.constantFrom('stop', 'process', 'power') }),
        }),
        quickKill(fc.oneof(theController, anyNode)),
      ),
      { minLength: 6, maxLength: 16, size: 'max' },
    ),
  ),
  /** Many contend for the same topics and offsets while controllers die, stand still or are cut off without knowing it. */
  contended: aPlan(
    fc.array(
      fc.oneof(
        quickKill(theController),
        fc.record({
          afterMs: fc.integer({ min: 200, max: 1500 }),
          forMs: fc.integer({ min: 500, max: 4000 }),
          fault: fc.oneof(
            fc.record({ kind: kind('pause'), target: theController }),
            fc.record({
              ...{ kind: kind('isolate'), target: theController },
              direction: fc.constantFrom('both', 'in', 'out'),
            }),
          ),
        }),
      ),
      { minLength: 3, maxLength: 8, size: 'max' },
    ),
  ).map((plan) => ({ ...plan, pausesMs: { topics: 100, offsets: 100 } })),
  /** Disks that give back other than was written, one at a time, while nodes come and go. */
  badDisks: aPlan(
    fc.array(
      fc.record({
        afterMs: fc.integer({ min: 500, max: 4000 }),
        forMs: fc.integer({ min: 1, max: 3000 }),
        fault: fc.oneof(
          misdirectedWrite.params.map((params) => ({ kind: misdirectedWrite.kind, ...params })),
          lyingSync.params.map((params) => ({ kind: lyingSync.kind, ...params })),
          tornWrites.params.map((params) => ({ kind: tornWrites.kind, ...params })),
        ),
      }),
      { minLength: 4, maxLength: 10, size: 'max' },
    ),
  ),
  ...DWELLING,
  ...NARROW,
} as const satisfies Record<string, fc.Arbitrary<Plan>>;

export type ScenarioName = keyof typeof SCENARIOS;

/** The plan that belongs to a seed. */
export function planOf(seed: number, scenario: ScenarioName = 'any'): Plan {
  const [plan] = fc.sample(SCENARIOS[scenario], { seed, numRuns: 1 });
  if (plan === undefined) throw new Error(`no plan for seed ${seed}`);
  return { ...plan, seed };
}
