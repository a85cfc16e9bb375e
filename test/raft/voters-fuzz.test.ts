import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ReplicaKey, VoterSet } from '../../src/raft/types.ts';
import { keyOf } from '../../src/raft/types.ts';
import { QuorumSim } from './support/quorum-sim.ts';

/** One thing that happens, some time after the one before. */
const happening = fc.record({
  afterMs: fc.integer({ min: 0, max: 900 }),
  kind: fc.constantFrom(
    'add',
    'add',
    'add',
    'remove',
    'remove',
    'removeLeader',
    'changeInVain',
    'changeInVain',
    'crash',
    'crashLeader',
    'restart',
    'restart',
    'split',
    'split',
    'isolateLeader',
    'healCuts',
    'healCuts',
    'slowDisk',
    'fastDisk',
    'resign',
    'wipe',
    'wipe',
    'calm',
    'calm',
  ),
  node: fc.nat(6),
  /** Which nodes are on the other side of a split, as bits. */
  side: fc.nat(127),
});
type Happening = typeof happening extends fc.Arbitrary<infer H> ? H : never;

const schedule = fc.record({
  seed: fc.integer(),
  voters: fc.constantFrom(1, 2, 3, 3, 4),
  observers: fc.constantFrom(1, 2, 3),
  lossRatio: fc.constantFrom(0, 0.02, 0.1),
  repeatRatio: fc.constantFrom(0, 0.1),
  delayMs: fc.constantFrom(1, 10, 60),
  snapshotEvery: fc.constantFrom(3, 10, 1000),
  limits: fc.record({
    wipedVoterTimeoutMs: fc.constantFrom(1500, 1500, Number.POSITIVE_INFINITY),
    voterLagEntriesMax: fc.constantFrom(5, 100),
  }),
  happenings: fc.array(happening, { minLength: 5, maxLength: 60 }),
});

/** Would a majority of each of these sets still have its disk? Without one, nothing could bring the quorum back. */
const keepMajorities = (sim: QuorumSim, sets: readonly VoterSet[], except?: ReplicaKey): boolean =>
  sets.every(({ voters }) => {
    const kept = voters.filter((voter) => {
      const key = keyOf(voter);
      return !sim.lostDisks.has(key) && (!except || keyOf(except) !== key);
    });
    return kept.length > voters.length / 2;
  });

function strike(sim: QuorumSim, { kind, node, side }: Happening): void {
  const ids = [...sim.replicas.keys()];
  const id = ids[node % ids.length] ?? 1;
  const leaders = sim.leaders();
  const leader = leaders[0]?.key.id;
  const remove = (from: number, voter: ReplicaKey | undefined) => {
    if (!voter) return;
    const { voters, vacant } = sim.state(from).log.voterSet;
    const left = { voters: voters.filter((each) => keyOf(each) !== keyOf(voter)), vacant };
    if (keepMajorities(sim, [left])) sim.changeVoters(from, { kind: 'remove', voter });
  };
  const strikes: Record<Happening['kind'], () => void> = {
    // Everybody who believes that it leads is asked: two at once are the hard case.
    add: () => {
      for (const { key } of leaders) {
        const others = ids.filter((other) => sim.state(key.id).voters.every((voter) => voter.id !== other));
        const chosen = others[node % Math.max(others.length, 1)];
        if (chosen !== undefined) sim.changeVoters(key.id, { kind: 'add', voter: sim.replica(chosen).key });
      }
    },
    remove: () => {
      for (const { key } of leaders)
        remove(
          key.id,
          sim.state(key.id).voters.find((voter) => voter.id === id),
        );
    },
    removeLeader: () => {
      if (leader !== undefined) remove(leader, sim.replica(leader).key);
    },
    // Only some of the others still hear of it: the next leader may know nothing of the change, and make its own.
    changeInVain: () => {
      if (leader === undefined) return;
      for (const each of ids) if (each !== leader && (side >> each) & 1) sim.cut(leader, each);
      for (const each of ids) sim.cut(each, leader);
      strikes[side & 1 ? 'add' : 'remove']();
    },
    crash: () => sim.crash(id),
    crashLeader: () => leader !== undefined && sim.crash(leader),
    restart: () => sim.start(id),
    split: () => {
      for (const a of ids) for (const b of ids) if (((side >> a) & 1) !== ((side >> b) & 1)) sim.cut(a, b);
    },
    isolateLeader: () => leader !== undefined && sim.isolate(leader),
    healCuts: () => sim.cuts.clear(),
    calm: () => {
      sim.cuts.clear();
      for (const each of ids) sim.start(each);
    },
    slowDisk: () => {
      sim.replica(id).syncDelayMs = 300;
    },
    fastDisk: () => {
      sim.replica(id).syncDelayMs = 0;
    },
    resign: () => sim.input(sim.replica(leader ?? id), { kind: 'resign' }),
    wipe: () => {
      const voters = leaders[0]?.core?.state.voters ?? [];
      const { key } = sim.replica(voters[node % voters.length]?.id ?? id);
      if (keepMajorities(sim, sim.voterSets(), key)) sim.wipe(key.id);
    },
  };
  strikes[kind]();
}

function keepProposing(sim: QuorumSim, everyMs: number): void {
  for (const replica of sim.leaders()) sim.propose(replica.key.id);
  sim.schedule(everyMs, () => keepProposing(sim, everyMs));
}

describe('the core under generated faults, while its voters change', () => {
  it('stays safe after every event, and gets going again once healed', () => {
    const seen = { added: 0, removed: 0, leaderRemoved: 0, replaced: 0, takenBack: 0 };
    const runs = Number(process.env.VOTER_RUNS ?? 300);
    fc.assert(
      fc.property(schedule, ({ happenings, ...options }) => {
        const sim = new QuorumSim(options);
        keepProposing(sim, 37);
        sim.run(1500);
        for (const next of happenings) {
          sim.run(next.afterMs);
          strike(sim, next);
        }
        sim.heal();
        const goal = sim.checks.committed.length + 5;
        const replaces = options.limits.wipedVoterTimeoutMs !== Number.POSITIVE_INFINITY;
        const hasItsSeats = ({ voters, vacant }: VoterSet) =>
          vacant.length === 0 && voters.every((voter) => !sim.lostDisks.has(keyOf(voter)));
        const settled = () =>
          sim.leaders().length === 1 &&
          sim.leaders().every(({ core }) => core?.state.isVoter) &&
          (!replaces || sim.leaders().every(({ core }) => core && hasItsSeats(core.state.log.voterSet))) &&
          [...sim.replicas.values()].every(
            ({ core, applied }) =>
              applied.index >= goal &&
              core &&
              core.state.log.voterSet === sim.leaders()[0]?.core?.state.log.voterSet,
          );
        expect(sim.run(60_000, settled), `stuck:\n${sim.notes.slice(-30).join('\n')}`).toBe(true);
        const noted = (text: string) => sim.notes.filter((note) => note.includes(text)).length;
        seen.added += noted('"change":"add"');
        seen.removed += noted('"change":"remove"');
        seen.leaderRemoved += noted('is no voter any more');
        seen.replaced += noted('in place of one whose disk was wiped');
        seen.takenBack += sim.checks.voterSetsTakenBack;
      }),
      { numRuns: runs, ...(process.env.VOTER_SEED ? { seed: Number(process.env.VOTER_SEED) } : {}) },
    );
    // The generator reaches what it is for.
    for (const count of Object.values(seen)) expect(count, JSON.stringify(seen)).toBeGreaterThan(runs / 100);
  });
});
