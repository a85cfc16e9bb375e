import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { QuorumSim } from './support/quorum-sim.ts';

/** One thing that goes wrong, some time after the one before. */
const fault = fc.record({
  afterMs: fc.integer({ min: 0, max: 1200 }),
  kind: fc.constantFrom(
    'crash',
    'restart',
    'restart',
    'restart',
    'crashLeader',
    'cutOneWay',
    'isolateLeader',
    'healCuts',
    'healCuts',
    'slowDisk',
    'fastDisk',
    'unreachable',
    'resign',
    'wipe',
    'propose',
  ),
  node: fc.nat(6),
  other: fc.nat(6),
});
type Fault = typeof fault extends fc.Arbitrary<infer F> ? F : never;

const schedule = fc.record({
  seed: fc.integer(),
  voters: fc.constantFrom(3, 3, 5),
  observers: fc.constantFrom(0, 1),
  lossRatio: fc.constantFrom(0, 0.02, 0.15),
  repeatRatio: fc.constantFrom(0, 0.1),
  delayMs: fc.constantFrom(1, 10, 80),
  snapshotEvery: fc.constantFrom(3, 10, 1000),
  faults: fc.array(fault, { minLength: 5, maxLength: 60 }),
});

function strike(sim: QuorumSim, { kind, node, other }: Fault): void {
  const ids = [...sim.replicas.keys()];
  const id = ids[node % ids.length] ?? 1;
  const otherId = ids[other % ids.length] ?? 1;
  const leader = sim.leaders()[0]?.key.id;
  const strikes: Record<Fault['kind'], () => void> = {
    crash: () => sim.crash(id),
    restart: () => sim.start(id),
    crashLeader: () => leader !== undefined && sim.crash(leader),
    cutOneWay: () => sim.cut(id, otherId),
    isolateLeader: () => leader !== undefined && sim.isolate(leader),
    healCuts: () => sim.cuts.clear(),
    slowDisk: () => {
      sim.replica(id).syncDelayMs = 300;
    },
    fastDisk: () => {
      sim.replica(id).syncDelayMs = 0;
    },
    unreachable: () => sim.input(sim.replica(id), { kind: 'unreachable', id: leader ?? otherId }),
    resign: () => sim.input(sim.replica(leader ?? id), { kind: 'resign' }),
    wipe: () => {
      const wiped = sim.voters.filter((voter) => sim.replica(voter.id).key.directoryId !== voter.directoryId);
      if (wiped.length < Math.floor((sim.voters.length - 1) / 2)) sim.wipe(id);
    },
    propose: () => sim.propose(leader ?? id),
  };
  strikes[kind]();
}

/** Somebody proposes all the time, at every replica that believes it leads. */
function keepProposing(sim: QuorumSim, everyMs: number): void {
  for (const replica of sim.leaders()) sim.propose(replica.key.id);
  sim.schedule(everyMs, () => keepProposing(sim, everyMs));
}

describe('the core under generated faults', () => {
  it('stays safe after every event, and gets going again once healed', () => {
    let elections = 0;
    let committed = 0;
    fc.assert(
      fc.property(schedule, ({ faults, ...options }) => {
        const sim = new QuorumSim(options);
        keepProposing(sim, 37);
        for (const next of faults) {
          sim.run(next.afterMs);
          strike(sim, next);
        }
        sim.heal();
        const goal = sim.checks.committed.length + 5;
        const caughtUp = () =>
          [...sim.replicas.values()].every((replica) => replica.applied.index >= goal) &&
          sim.leaders().length === 1;
        expect(sim.run(60_000, caughtUp), `stuck:\n${sim.notes.slice(-30).join('\n')}`).toBe(true);
        elections += sim.checks.elections;
        committed += sim.checks.committed.length;
      }),
      { numRuns: 500 },
    );
    // The generator reaches what it is for: audit its coverage.
    expect(elections).toBeGreaterThan(500);
    expect(committed).toBeGreaterThan(5000);
  });

  it('replays a seed to the same notes', () => {
    const trace = () => {
      const sim = new QuorumSim({
        seed: 7,
        voters: 3,
        observers: 1,
        lossRatio: 0.1,
        delayMs: 20,
        snapshotEvery: 5,
      });
      keepProposing(sim, 37);
      sim.run(10_000);
      return sim.notes;
    };
    expect(trace()).toEqual(trace());
  });
});
