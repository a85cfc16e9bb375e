/** What the plans of `scenarios.ts` and `dwelling.ts` are made of. */
import * as fc from 'fast-check';
import type { Fault } from './faults/index.ts';
import { anyNode, type Target, VOTERS } from './faults/target.ts';
import { aSeed, type Plan, type Step } from './plan.ts';

/** Clients never rest. */
export const BUSY_MS = { producers: 60, reader: 500, group: 300 };

export const kind = <const K extends string | number>(name: K) => fc.constant(name);

/** A kill, a restart, and time enough to be at it again before everything has settled. */
export const quickKill = (who: fc.Arbitrary<Target>): fc.Arbitrary<Step> =>
  fc.record({
    afterMs: fc.integer({ min: 0, max: 700 }),
    forMs: fc.integer({ min: 1, max: 500 }),
    fault: fc.record({ kind: kind('kill'), target: who, how: fc.constantFrom('process', 'power') }),
  });

export const lasting = (forMs: number, what: fc.Arbitrary<Fault>): fc.Arbitrary<Step> =>
  fc.record({ afterMs: fc.integer({ min: 0, max: 300 }), forMs: fc.constant(forMs), fault: what });

export const slowDisks = (syncMs: number): fc.Arbitrary<Fault> =>
  fc.record({
    kind: kind('slowDisk'),
    target: anyNode,
    syncMs: fc.constant(syncMs),
  });

/** For a while that is over before the cluster has come to rest. */
export const brief = (forMsMax: number, what: fc.Arbitrary<Fault>): fc.Arbitrary<Step> =>
  fc.record({
    afterMs: fc.integer({ min: 0, max: 1000 }),
    forMs: fc.integer({ min: 1, max: forMsMax }),
    fault: what,
  });

export const cutOff = (direction: 'both' | 'in' | 'out'): Fault => ({
  kind: 'isolate',
  target: { who: 'controller' },
  direction,
});

/** A short run among busy clients. */
export const aPlan = (steps: fc.Arbitrary<Step[]>): fc.Arbitrary<Plan> =>
  fc.record({
    seed: aSeed,
    diskSeed: aSeed,
    networkSeed: aSeed,
    workloadSeed: aSeed,
    nodes: fc.constant(VOTERS),
    forMs: fc.constant(0),
    ratios: fc.constant({}),
    pausesMs: fc.constant(BUSY_MS),
    steps,
  });
