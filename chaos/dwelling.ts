import * as fc from 'fast-check';
import { aLeader, anyNode, pair, type Target, theController, VOTERS } from './faults/target.ts';
import type { Plan, Step } from './plan.ts';
import { aPlan, brief, cutOff, kind, quickKill } from './scenario-parts.ts';

const SEVERAL = { minLength: 2, maxLength: 5, size: 'max' } as const;
const MANY = { minLength: 6, maxLength: 14, size: 'max' } as const;

const node = (id: number): Target => ({ who: 'node', id });
const aVoter = fc.integer({ min: 1, max: VOTERS });

const withPauses =
  (pausesMs: Plan['pausesMs']) =>
  (plan: Plan): Plan => ({ ...plan, pausesMs: { ...plan.pausesMs, ...pausesMs } });

const within = (afterMs: readonly [number, number], forMs: readonly [number, number]) => ({
  afterMs: fc.integer({ min: afterMs[0], max: afterMs[1] }),
  forMs: fc.integer({ min: forMs[0], max: forMs[1] }),
});

/** Leaders die one after the other, restarted before the rest has settled. */
const failovers = fc.array(quickKill(fc.oneof(aLeader, anyNode)), MANY);

const quickPower = quickKill(anyNode).map((step) => ({
  ...step,
  fault: { ...step.fault, how: 'power' } as const,
}));

/** Messages come twice, overtake others, and are lost. */
const repeating: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.record({ kind: kind('repeatedMessages'), duplicateRate: fc.constantFrom(0.05, 0.2) }),
    fc.record({ kind: kind('lostMessages'), lossRate: fc.constantFrom(0, 0.03) }),
    fc.record({ kind: kind('reorderedMessages'), reorderRate: fc.constantFrom(0, 0.1) }),
  )
  .map((faults) => faults.map((fault): Step => ({ afterMs: 0, forMs: 20_000, fault })));

const slowWriting = (ids: readonly number[], syncMs: number): Step[] =>
  ids.map((id) => ({
    ...{ afterMs: 0, forMs: 20_000 },
    fault: { kind: 'slowDisk', target: node(id), syncMs },
  }));

const stops = fc.record({
  ...within([200, 2500], [300, 2500]),
  fault: fc.record({ kind: kind('stop'), target: fc.oneof(aLeader, anyNode, theController) }),
});

/** Plans that dwell on one more matter each: what planted bugs need that others do not show. */
export const DWELLING = {
  /** Controllers are cut off for much longer than an election takes. */
  cutOff: aPlan(
    fc.array(
      fc.record({
        ...within([500, 3000], [6000, 9000]),
        fault: fc.constantFrom(cutOff('both'), cutOff('out')),
      }),
      SEVERAL,
    ),
  ).map(withPauses({ topics: 300 })),
  /** Leaders are cut off for just so long that others lead when they are heard again, and their clients still wait. */
  deposed: aPlan(
    fc.array(
      fc.record({
        ...within([500, 2500], [1800, 3800]),
        fault: fc.record({
          kind: kind('isolate'),
          target: aLeader,
          direction: fc.constantFrom('both', 'in', 'out'),
        }),
      }),
      SEVERAL,
    ),
  ),
  /** A voter is cut off for long, and is heard again just when the controller dies. */
  lagging: aPlan(
    fc
      .array(
        fc.tuple(aVoter, fc.integer({ min: -400, max: 1200 })).map(([id, laterMs]): Step[] => [
          {
            afterMs: 1500,
            forMs: 8000,
            fault: { kind: 'isolate', target: node(id), direction: 'both' },
          },
          {
            afterMs: 8000 - laterMs,
            forMs: 4000,
            fault: { kind: 'kill', target: { who: 'controller' }, how: 'power' },
          },
        ]),
        { minLength: 2, maxLength: 4, size: 'max' },
      )
      .map((pairs) => pairs.flat()),
  ).map(withPauses({ topics: 200 })),
  /** Brokers die without a word, some of them together with the controller, and controllers stand still. */
  silence: aPlan(
    fc.array(
      fc.oneof(
        fc.record({
          ...within([1000, 3000], [11_000, 13_000]),
          fault: fc.record({
            ...{ kind: kind('killTogether'), target: fc.constantFrom(node(VOTERS + 1), node(VOTERS + 2)) },
            how: kind('power'),
          }),
        }),
        fc.record({
          ...within([1000, 4000], [2000, 6000]),
          fault: fc.record({ kind: kind('pause'), target: theController }),
        }),
      ),
      SEVERAL,
    ),
  ).map((plan): Plan => ({ ...plan, nodes: VOTERS + 2 })),
  /** Brokers lose their power and are back at once, while what they sent before is still on its way. */
  late: aPlan(
    fc
      .tuple(
        repeating,
        fc.array(
          fc.oneof(
            brief(
              3000,
              fc.record({
                ...{ kind: kind('slowLink'), between: pair },
                delayMs: fc.integer({ min: 50, max: 700 }),
              }),
            ),
            quickPower.map((step): Step => ({ ...step, forMs: Math.ceil(step.forMs / 10) })),
          ),
          MANY,
        ),
      )
      .map(([bad, steps]): Step[] => [...bad, ...steps]),
  ),
  /** Fail-overs while somebody asks where the partitions end. */
  ends: aPlan(failovers).map(withPauses({ latestOffsets: 20, producers: 20 })),
  /** Records are soon deleted, at once where clocks jump, while replicas lag behind, and leaders die. */
  retention: aPlan(
    fc.array(
      fc.oneof(
        quickKill(fc.oneof(aLeader, anyNode)),
        brief(2500, fc.record({ kind: kind('pause'), target: anyNode })),
        brief(
          4000,
          fc.record({ kind: kind('clockJump'), target: anyNode, jumpMs: fc.constantFrom(10_000, 3_600_000) }),
        ),
      ),
      MANY,
    ),
  ).map(withPauses({ retention: 30, producers: 300 })),
  /** Fail-overs of logs that leaders write to alone, so that each comes back with a branch of its own. */
  branches: aPlan(
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: quickKill(fc.oneof(aLeader, anyNode)) },
        { weight: 1, arbitrary: brief(100, fc.record({ kind: kind('blackout') })) },
        {
          weight: 2,
          arbitrary: brief(
            1500,
            fc.record({
              kind: kind('isolate'),
              target: anyNode,
              direction: fc.constantFrom('both', 'in', 'out'),
            }),
          ),
        },
      ),
      MANY,
    ),
  ).map(withPauses({ weakAcks: 20, group: 0, reader: 0 })),
  /** Two of three replicas lead in turn while the third is away, and take in what nobody else gets (KIP-279). */
  alternating: aPlan(
    fc
      .tuple(
        fc.constantFrom(1, VOTERS),
        fc.array(
          fc.record({
            ...within([100, 1500], [100, 1200]),
            fault: fc.record({
              kind: kind('kill'),
              target: fc.constantFrom(node(VOTERS + 1), node(VOTERS + 2)),
              how: kind('process'),
            }),
          }),
          MANY,
        ),
      )
      .map(([id, kills]): Step[] => [
        { afterMs: 0, forMs: 15_000, fault: { kind: 'kill', target: node(id), how: 'power' } },
        ...slowWriting([VOTERS + 1, VOTERS + 2], 80),
        ...kills.map((kill, index) => (index === 0 ? { ...kill, afterMs: 3000 } : kill)),
      ]),
  ).map((plan): Plan => ({ ...plan, nodes: VOTERS + 2, pausesMs: { weakAcks: 15, producers: 500 } })),
  /** The power goes, at one node or at all, while records of `flush=os` are in page caches alone. */
  unsynced: aPlan(
    fc.array(
      fc.oneof(
        { weight: 4, arbitrary: quickPower },
        { weight: 2, arbitrary: stops },
        { weight: 1, arbitrary: brief(300, fc.record({ kind: kind('blackout') })) },
      ),
      MANY,
    ),
  ).map(withPauses({ unsynced: 30, producers: 1000, group: 0, reader: 0 })),
  /** Nodes that stopped in good order a while ago lose their power, and are back before those that have all records yet. */
  marks: aPlan(
    fc
      .array(
        fc
          .tuple(aVoter, fc.integer({ min: 900, max: 2500 }), fc.integer({ min: 100, max: 600 }))
          .map(([id, afterMs, forMs]): Step[] => [
            { afterMs: 1500, forMs: 600, fault: { kind: 'stop', target: node(id) } },
            { afterMs: 600 + afterMs, forMs: 5, fault: { kind: 'kill', target: node(id), how: 'power' } },
            ...[1, 2, 3]
              .filter((other) => other !== id)
              .map(
                (other): Step => ({
                  ...{ afterMs: 0, forMs },
                  fault: { kind: 'kill', target: node(other), how: 'process' },
                }),
              ),
          ]),
        SEVERAL,
      )
      .map((rounds) => rounds.flat()),
  ).map(withPauses({ unsynced: 20, producers: 1000, group: 0, reader: 0 })),
  /** The power goes while large batches are being written. */
  torn: aPlan(
    fc.array(quickPower, MANY).map((kills): Step[] => [...slowWriting([1, 2, 3], 40), ...kills]),
  ).map(withPauses({ large: 20, producers: 300 })),
  /** Disks fill up, writes store a part of what they are given, and then the power goes. */
  fullDisks: aPlan(
    fc.array(
      fc.oneof(
        fc.record({
          ...within([0, 1500], [200, 2500]),
          fault: fc.record({
            ...{ kind: kind('shortWrite'), target: anyNode, log: kind('log') },
            ...{ code: kind('ENOSPC'), times: fc.constantFrom(1, 3) },
          }),
        }),
        fc.record({
          ...within([0, 1500], [200, 2500]),
          fault: fc.record({
            kind: kind('diskFull'),
            target: anyNode,
            roomBytes: fc.constantFrom(0, 300, 700, 2000),
          }),
        }),
        quickKill(anyNode),
      ),
      MANY,
    ),
  ),
  /** Nodes stop in good order and start again, others are killed a moment after such a start. */
  stops: aPlan(
    fc.array(fc.oneof({ weight: 3, arbitrary: stops }, { weight: 2, arbitrary: quickKill(anyNode) }), MANY),
  ).map(withPauses({ topics: 300 })),
  /** Members come and go, die, and lose sight of their coordinator, which dies, too; some of what they say is said twice. */
  membership: fc
    .tuple(
      aPlan(
        fc.array(
          fc.oneof(
            brief(
              4000,
              fc.record({ kind: kind('splitClients'), target: theController, isOneWay: fc.boolean() }),
            ),
            brief(1000, fc.record({ kind: kind('killClient'), client: fc.integer({ min: 0, max: 5 }) })),
            brief(
              4000,
              fc.record({
                kind: kind('isolate'),
                target: theController,
                direction: fc.constantFrom('both', 'in', 'out'),
              }),
            ),
            brief(3000, fc.record({ kind: kind('pause'), target: theController })),
            quickKill(theController),
          ),
          MANY,
        ),
      ),
      repeating,
      fc.boolean(),
    )
    .map(
      ([plan, repeats, isRepeating]): Plan => ({
        ...plan,
        steps: isRepeating ? [...repeats, ...plan.steps] : plan.steps,
        pausesMs: { producers: 100, group: 200, churningGroup: 500 },
      }),
    ),
  /** Controllers whose disks are slow are cut off while they write, and overwritten. */
  slowWriters: aPlan(
    fc
      .array(
        fc
          .tuple(
            fc.integer({ min: 800, max: 2500 }),
            fc.integer({ min: 10, max: 400 }),
            fc.integer({ min: 1200, max: 2200 }),
            fc.integer({ min: 0, max: 1200 }),
          )
          .map(([syncMs, afterMs, cutMs, powerMs]): Step[] => [
            {
              afterMs: 1500,
              forMs: 4000,
              fault: { kind: 'slowDisk', target: { who: 'controller' }, syncMs },
            },
            { afterMs, forMs: cutMs, fault: cutOff('both') },
            { afterMs: cutMs + powerMs, forMs: 300, fault: { kind: 'blackout' } },
          ]),
        { minLength: 2, maxLength: 4, size: 'max' },
      )
      .map((rounds) => rounds.flat()),
  ).map(withPauses({ topics: 50 })),
  /** Controllers are cut off while some ask them, for just as long as an election takes; the power goes when they are overwritten. */
  overwrites: aPlan(
    fc
      .array(
        fc
          .tuple(
            fc.integer({ min: 1000, max: 1900 }),
            fc.integer({ min: 0, max: 60 }),
            fc.integer({ min: 1, max: 50 }),
          )
          .map(([cutMs, powerMs, forMs]): Step[] => [
            { afterMs: 2500, forMs: cutMs, fault: cutOff('both') },
            { afterMs: cutMs + powerMs, forMs, fault: { kind: 'blackout' } },
          ]),
        { minLength: 3, maxLength: 5, size: 'max' },
      )
      .map((rounds) => rounds.flat()),
  ).map(
    (plan): Plan => ({
      ...plan,
      pausesMs: { topics: 300, offsets: 200, partitions: 500, configs: 300 },
    }),
  ),
} as const satisfies Record<string, fc.Arbitrary<Plan>>;
