import * as fc from 'fast-check';
import { bitRot } from './faults/bit-rot.ts';
import type { Fault } from './faults/index.ts';
import { aLeader } from './faults/target.ts';
import type { Plan, Step } from './plan.ts';
import { aPlan, brief, kind } from './scenario-parts.ts';

const IDS = [1, 2, 3] as const;
const aVoter = fc.constantFrom(...IDS);
const ROUNDS = { minLength: 3, maxLength: 6, size: 'max' } as const;

const othersOf = (id: number) => IDS.filter((other) => other !== id);
const kill = (id: number, how: 'process' | 'power'): Fault => ({
  ...{ kind: 'kill', target: { who: 'node', id }, how },
});
const always = (fault: Fault): Step => ({ afterMs: 0, forMs: 30_000, fault });
const slowWrites = (id: number, syncMs: number) =>
  always({ kind: 'slowDisk', target: { who: 'node', id }, syncMs });
const slowTo = (from: number, to: number, delayMs: number) =>
  always({ kind: 'slowLink', between: [from, to], delayMs });

/** These workloads run, and no others. */
const withOnly =
  (pausesMs: Plan['pausesMs']) =>
  (plan: Plan): Plan => ({ ...plan, pausesMs });

/** Plans for bugs that show only where several things happen in one order, moments apart. */
export const NARROW = {
  /** One of several batches on their way to a slow disk fails, for once, and those behind it do not. */
  gaps: aPlan(
    fc
      .array(
        brief(
          300,
          fc.record({
            ...{ kind: kind('shortWrite'), target: aLeader, log: kind('log') },
            ...{ code: kind('ENOSPC'), times: fc.constantFrom(1, 2) },
          }),
        ),
        { minLength: 8, maxLength: 16, size: 'max' },
      )
      .map((steps): Step[] => [...IDS.map((id) => slowWrites(id, 40)), ...steps]),
  ).map(withOnly({ producers: 10, reader: 500 })),
  /** A node loses its power again and again, and is back before the last of what it asked has reached a leader. */
  rejoins: aPlan(
    fc
      .tuple(
        aVoter,
        fc.nat({ max: 1 }),
        fc.integer({ min: 200, max: 600 }),
        fc.array(fc.integer({ min: 1500, max: 2500 }), { minLength: 8, maxLength: 12, size: 'max' }),
      )
      .map(([id, index, delayMs, times]): Step[] => [
        slowTo(id, othersOf(id)[index] ?? id, delayMs),
        ...times.map((afterMs): Step => ({ afterMs, forMs: 2, fault: kill(id, 'power') })),
      ]),
  ).map(withOnly({ unsynced: 300, producers: 1000 })),
  /** A follower with a slow disk rejoins while its partition's settings change, and the leader is told so first. */
  overtaken: aPlan(
    fc
      .tuple(
        aVoter,
        fc.array(fc.tuple(fc.integer({ min: 1500, max: 2500 }), fc.integer({ min: 1, max: 300 })), {
          ...{ minLength: 8, maxLength: 12, size: 'max' },
        }),
      )
      .map(([slow, times]): Step[] => [
        slowWrites(slow, 200),
        ...othersOf(slow).map((id) => slowWrites(id, 60)),
        ...times.map(([afterMs, forMs]): Step => ({ afterMs, forMs, fault: kill(slow, 'process') })),
      ]),
  ).map(withOnly({ configs: 10, producers: 200 })),
  /** Bits rot in what was written last, long enough ago to be in the checkpoint, and the power goes. */
  rottenTails: aPlan(
    fc.array(
      fc.record({
        afterMs: fc.integer({ min: 2000, max: 8000 }),
        forMs: fc.integer({ min: 1, max: 1500 }),
        fault: bitRot.params.map((params) => ({
          ...{ kind: bitRot.kind, ...params, log: 'log', restart: 'power' },
          fromEnd: 1 + (params.fromEnd % 60),
        })) as fc.Arbitrary<Fault>,
      }),
      { minLength: 4, maxLength: 8, size: 'max' },
    ),
  ).map(withOnly({ producers: 4000, bursts: 12_000 })),
  /**
   * While the others are down, so that nobody can be told, a node loses its power, and then its process dies. When the others
   * are back, it may have to lead.
   */
  untold: aPlan(
    fc
      .array(
        fc
          .tuple(aVoter, fc.integer({ min: 20, max: 150 }), fc.integer({ min: 200, max: 500 }))
          .map(([id, againMs, othersMs]): Step[] => [
            { afterMs: 2500, forMs: 2, fault: kill(id, 'power') },
            ...othersOf(id).map(
              (other): Step => ({ afterMs: 0, forMs: othersMs, fault: kill(other, 'process') }),
            ),
            { afterMs: 2 + againMs, forMs: 2, fault: kill(id, 'process') },
          ]),
        ROUNDS,
      )
      .map((rounds) => rounds.flat()),
  ).map(withOnly({ unsynced: 15, producers: 1000 })),
} as const satisfies Record<string, fc.Arbitrary<Plan>>;
