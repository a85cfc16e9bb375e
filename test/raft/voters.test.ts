import { describe, expect, it } from 'vitest';
import { LogView } from '../../src/raft/log-view.ts';
import type { Entry, ReplicaKey, VoterChange, VoterSet } from '../../src/raft/types.ts';
import { DEFAULT_RAFT_LIMITS, type RaftLimits } from '../../src/raft/types.ts';
import { QuorumSim } from './support/quorum-sim.ts';

function settled(voters: number, observers: number, limits: Partial<RaftLimits> = {}): QuorumSim {
  const sim = new QuorumSim({ seed: 1, voters, observers, limits });
  expect(sim.run(5000, () => sim.leaders()[0]?.core?.canPropose ?? false)).toBe(true);
  sim.propose(leaderOf(sim));
  sim.run(1500);
  return sim;
}

function leaderOf(sim: QuorumSim): number {
  const leader = sim.leaders()[0];
  if (!leader) throw new Error(`no leader:\n${sim.notes.join('\n')}`);
  return leader.key.id;
}

const idsOf = (sim: QuorumSim, id: number) => sim.state(id).voters.map((voter) => voter.id);
const followersOf = (sim: QuorumSim) => idsOf(sim, leaderOf(sim)).filter((id) => id !== leaderOf(sim));
const add = (sim: QuorumSim, id: number): VoterChange => ({ kind: 'add', voter: sim.replica(id).key });
const remove = (sim: QuorumSim, id: number): VoterChange => ({ kind: 'remove', voter: sim.replica(id).key });
const refusal = (sim: QuorumSim, change: VoterChange, id = leaderOf(sim)) =>
  sim.replica(id).core?.refuseVoterChange(change, sim.nowMs);
const stood = (sim: QuorumSim) => sim.notes.filter((note) => note.includes('Standing for election')).length;

describe('adding a voter (thesis 4.1, KIP-853)', () => {
  it('makes an observer that holds the log a voter, which counts at once and everywhere', () => {
    const sim = settled(3, 1);
    expect(sim.changeVoters(leaderOf(sim), add(sim, 4))).toBe(true);
    expect(sim.state(leaderOf(sim)).quorumSize).toBe(3);
    sim.run(500);
    for (const id of [1, 2, 3, 4]) expect(idsOf(sim, id)).toEqual([1, 2, 3, 4]);
    expect(sim.state(4).role).toBe('follower');
    // Its vote counts: with one of the old voters dead, and the leader, it takes the new one to elect.
    sim.crash(leaderOf(sim));
    expect(sim.run(10_000, () => sim.leaders().some(({ core }) => core?.canPropose))).toBe(true);
  });

  it('is refused, with the reason, where it would be wrong or too early', () => {
    const sim = settled(3, 2);
    const leader = leaderOf(sim);
    expect(refusal(sim, add(sim, 1))).toBe('duplicateVoter');
    expect(refusal(sim, { kind: 'add', voter: { id: 1, directoryId: 'another' } })).toBe('duplicateVoter');
    expect(refusal(sim, { kind: 'add', voter: { id: 9, directoryId: 'x' } })).toBe('notObserving');
    expect(refusal(sim, add(sim, 4), followersOf(sim)[0])).toBe('notLeader');
    sim.isolate(4);
    for (let n = 0; n < DEFAULT_RAFT_LIMITS.voterLagEntriesMax + 1; n++) sim.propose(leader);
    sim.run(300);
    expect(refusal(sim, add(sim, 4))).toBe('notCaughtUp');
    expect(sim.changeVoters(leader, add(sim, 5))).toBe(true);
    expect(refusal(sim, remove(sim, 5))).toBe('changePending');
    sim.run(300);
    expect(refusal(sim, remove(sim, 5))).toBeUndefined();
  });

  it('waits for the catalogue level from which on all replicas can read of it', () => {
    const sim = settled(3, 1);
    const leader = leaderOf(sim);
    const before = sim.state(leader).log.lastIndex;
    sim.replica(leader).core?.step({ kind: 'catalogueLevel', level: 2 }, sim.nowMs);
    expect(refusal(sim, add(sim, 4))).toBe('levelTooLow');
    for (const id of [1, 2, 3]) sim.replica(id).core?.step({ kind: 'catalogueLevel', level: 2 }, sim.nowMs);
    sim.crash(leader);
    expect(sim.run(10_000, () => sim.leaders().some(({ core }) => core?.canPropose))).toBe(true);
    const { log } = sim.state(leaderOf(sim));
    expect(log.epochAt(before + 1)).toBeGreaterThan(log.epochAt(before) ?? 0);
    expect(log.slice(before + 1, log.lastIndex).map(({ voterSet }) => voterSet)).toEqual([undefined]);
  });

  it('asks a replica for its vote that does not know yet that it has one', () => {
    const sim = settled(3, 1);
    const leader = leaderOf(sim);
    sim.isolate(4);
    expect(sim.changeVoters(leader, add(sim, 4))).toBe(true);
    sim.run(100);
    expect(sim.checks.committed.length).toBe(sim.state(leader).log.voterSetIndex);
    sim.crash(leader);
    sim.cuts.clear();
    // Three of four have to agree, and the fourth still takes itself for an observer.
    expect(sim.run(10_000, () => sim.leaders().some(({ core }) => core?.canPropose))).toBe(true);
  });
});

describe('removing a voter', () => {
  it('is refused for the last one, a stranger, another disk, and where too few of the rest answer', () => {
    const sim = settled(3, 0);
    const [a = 0, b = 0] = followersOf(sim);
    expect(refusal(sim, { kind: 'remove', voter: { id: 9, directoryId: 'x' } })).toBe('unknownVoter');
    expect(refusal(sim, { kind: 'remove', voter: { id: a, directoryId: 'x' } })).toBe('otherDirectory');
    sim.crash(a);
    sim.run(DEFAULT_RAFT_LIMITS.checkQuorumMs + 100);
    expect(refusal(sim, remove(sim, b))).toBe('majoritySilent');
    expect(refusal(sim, remove(sim, a))).toBeUndefined();
    const alone = settled(1, 0);
    expect(refusal(alone, remove(alone, 1))).toBe('lastVoter');
  });

  it('is refused by a new leader that has not heard yet of those that would be left', () => {
    const sim = settled(3, 0);
    const old = leaderOf(sim);
    const [dead = 0, next = 0] = followersOf(sim);
    sim.crash(dead);
    sim.input(sim.replica(old), { kind: 'resign' });
    expect(sim.run(5000, () => sim.replica(next).core?.canPropose ?? false)).toBe(true);
    expect(refusal(sim, remove(sim, old), next)).toBe('majoritySilent');
  });

  it('that leads: it commits without itself, hands over in one election, and follows', () => {
    const sim = settled(3, 0);
    const old = leaderOf(sim);
    const before = stood(sim);
    expect(sim.changeVoters(old, remove(sim, old))).toBe(true);
    const next = () => sim.leaders().some(({ key, core }) => key.id !== old && core?.canPropose);
    expect(sim.run(300, next), sim.notes.join('\n')).toBe(true);
    sim.run(30_000);
    expect(stood(sim) - before).toBe(1);
    expect(sim.state(old).role).toBe('observer');
    expect(sim.replica(old).applied).toEqual(sim.replica(leaderOf(sim)).applied);
  });

  it('that leads: it follows its successor at once, as the observer that it is now', () => {
    const sim = settled(3, 0);
    const old = leaderOf(sim);
    sim.changeVoters(old, remove(sim, old));
    sim.run(500);
    expect(sim.state(old).role).toBe('observer');
    expect(sim.state(old).leaderId).toBe(sim.leaders()[0]?.key.id);
  });

  it('does not disturb the others when it never heard of it, and hears of it in the end', () => {
    const sim = settled(3, 1);
    const gone = followersOf(sim)[0] ?? 0;
    const { epoch } = sim.state(leaderOf(sim));
    sim.isolate(gone);
    sim.run(2000);
    expect(sim.changeVoters(leaderOf(sim), add(sim, 4))).toBe(true);
    sim.run(200);
    expect(sim.changeVoters(leaderOf(sim), remove(sim, gone))).toBe(true);
    sim.run(5000);
    sim.cuts.clear();
    sim.run(10_000);
    expect(sim.state(leaderOf(sim)).epoch).toBe(epoch);
    expect(sim.state(gone).role).toBe('observer');
  });

  it('leaves it electable until the removal is committed: nobody else might be (thesis 4.2.2)', () => {
    const sim = settled(2, 0);
    const old = leaderOf(sim);
    const other = followersOf(sim)[0] ?? 0;
    sim.crash(other);
    // The leader does not know yet that the other is gone.
    expect(sim.changeVoters(old, remove(sim, old))).toBe(true);
    sim.run(50);
    sim.crash(old);
    sim.start(old);
    sim.start(other);
    expect(sim.run(20_000, () => sim.leaders().some(({ key }) => key.id === other))).toBe(true);
    expect(idsOf(sim, other)).toEqual([other]);
  });
});

describe('an uncommitted change', () => {
  it('goes with a truncation, on the disk too', () => {
    const sim = settled(3, 1);
    const old = leaderOf(sim);
    sim.isolate(old);
    expect(sim.changeVoters(old, add(sim, 4))).toBe(true);
    expect(idsOf(sim, old)).toEqual([1, 2, 3, 4]);
    sim.run(5000);
    expect(idsOf(sim, leaderOf(sim))).toEqual([1, 2, 3]);
    sim.cuts.clear();
    sim.run(5000);
    expect(idsOf(sim, old)).toEqual([1, 2, 3]);
    sim.crash(old);
    sim.start(old);
    expect(idsOf(sim, old)).toEqual([1, 2, 3]);
  });

  it('is kept in mind with its index, through truncation, compaction and snapshots', () => {
    const key = (id: number): ReplicaKey => ({ id, directoryId: `disk-${id}` });
    const set = (...ids: number[]): VoterSet => ({ voters: ids.map(key), vacant: [] });
    const entry = (index: number, voterSet?: VoterSet): Entry => ({
      index,
      epoch: 1,
      payload: new Uint8Array(0),
      voterSet,
    });
    const log = new LogView({ index: 0, epoch: 0, voterSet: set(1) }, [entry(1), entry(2, set(1, 2))]);
    log.append([entry(3), entry(4, set(1, 2, 3))]);
    expect([log.voterSet, log.voterSetIndex, log.voterSetAt(3)]).toEqual([set(1, 2, 3), 4, set(1, 2)]);
    log.truncateAfter(3);
    expect([log.voterSet, log.voterSetIndex]).toEqual([set(1, 2), 2]);
    log.truncateAfter(1);
    expect(log.voterSet).toEqual(set(1));
    log.append([entry(2, set(1, 3))]);
    log.compactTo(2);
    expect([log.voterSet, log.voterSetAt(2)]).toEqual([set(1, 3), set(1, 3)]);
    log.reset({ index: 9, epoch: 2, voterSet: set(4) });
    expect([log.voterSet, log.voterSetIndex]).toEqual([set(4), 9]);
  });

  it('of two leaders who never heard of each other: the second waits for its own epoch (Ongaro 2015)', () => {
    const sim = settled(4, 1);
    const first = leaderOf(sim);
    sim.isolate(first);
    sim.cuts.delete(`${first}>5`);
    sim.cuts.delete(`5>${first}`);
    // It reaches the new voter alone.
    expect(sim.changeVoters(first, add(sim, 5))).toBe(true);
    sim.run(20);
    const second = () => sim.leaders().find(({ key }) => key.id !== first);
    let wasEarly = false;
    sim.run(5000, () => {
      const leader = second();
      const [dropped] = leader?.core?.state.voters.filter(({ id }) => id !== leader.key.id) ?? [];
      if (!leader || !dropped) return false;
      if (leader.core?.state.noOpCommitted) return true;
      expect(refusal(sim, { kind: 'remove', voter: dropped }, leader.key.id)).toBe('epochOpen');
      wasEarly = true;
      return false;
    });
    expect(wasEarly).toBe(true);
  });
});

describe('a wiped voter', () => {
  it('takes its seat with its new disk, in two steps, and its old disk counts no more', () => {
    const sim = settled(3, 0, { wipedVoterTimeoutMs: 2000 });
    const wiped = followersOf(sim)[0] ?? 0;
    const oldKey = sim.replica(wiped).key;
    sim.wipe(wiped);
    sim.start(wiped);
    sim.run(1500);
    expect(sim.state(wiped).role).toBe('observer');
    const isBack = () => sim.state(wiped).isVoter;
    expect(sim.run(5000, isBack), sim.notes.join('\n')).toBe(true);
    sim.run(500);
    const { voterSet } = sim.state(leaderOf(sim)).log;
    expect(voterSet.vacant).toEqual([]);
    expect(voterSet.voters).toContainEqual(sim.replica(wiped).key);
    expect(voterSet.voters).not.toContainEqual(oldKey);
  });

  it('gets its seat from the next leader when the first one dies between the two steps', () => {
    const sim = settled(5, 0, { wipedVoterTimeoutMs: 2000 });
    const wiped = followersOf(sim)[0] ?? 0;
    sim.wipe(wiped);
    sim.start(wiped);
    const isVacant = () => sim.leaders().some(({ core }) => core?.state.log.voterSet.vacant.length === 1);
    expect(sim.run(10_000, isVacant)).toBe(true);
    sim.run(10);
    sim.crash(leaderOf(sim));
    expect(sim.run(20_000, () => sim.state(wiped).isVoter)).toBe(true);
  });

  it('stays an observer while its old self is heard, or where it is left to an operator', () => {
    const sim = settled(3, 0);
    const wiped = followersOf(sim)[0] ?? 0;
    const oldKey = sim.replica(wiped).key;
    sim.wipe(wiped);
    sim.start(wiped);
    sim.run(30_000);
    expect(sim.state(wiped).role).toBe('observer');
    expect(refusal(sim, add(sim, wiped))).toBe('duplicateVoter');
    expect(sim.changeVoters(leaderOf(sim), { kind: 'remove', voter: oldKey })).toBe(true);
    sim.run(500);
    expect(sim.changeVoters(leaderOf(sim), add(sim, wiped))).toBe(true);
    sim.run(500);
    expect(sim.state(wiped).role).toBe('follower');
  });
});
