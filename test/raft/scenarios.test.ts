import { describe, expect, it } from 'vitest';
import { RaftCore } from '../../src/raft/core.ts';
import { LogView } from '../../src/raft/log-view.ts';
import type { Effect, Entry, ReplicaKey, Request } from '../../src/raft/types.ts';
import { DEFAULT_RAFT_LIMITS } from '../../src/raft/types.ts';
import { QuorumSim } from './support/quorum-sim.ts';

/** A quorum whose leader is known, with a few committed entries. */
function settled(
  voters = 3,
  options: { seed?: number; observers?: number; snapshotEvery?: number } = {},
): QuorumSim {
  const sim = new QuorumSim({ seed: 1, voters, ...options });
  expect(sim.run(5000, () => sim.leaders()[0]?.core?.canPropose ?? false)).toBe(true);
  for (let n = 0; n < 3; n++) sim.propose(leaderOf(sim));
  sim.run(500);
  return sim;
}

function leaderOf(sim: QuorumSim): number {
  const leader = sim.leaders()[0];
  if (!leader) throw new Error(`no leader:\n${sim.notes.join('\n')}`);
  return leader.key.id;
}

const followersOf = (sim: QuorumSim) =>
  sim.voters.map((voter) => voter.id).filter((id) => id !== leaderOf(sim));
const stood = (sim: QuorumSim) => sim.notes.filter((note) => note.includes('Standing for election')).length;

const key = (id: number): ReplicaKey => ({ id, directoryId: `disk-${id}` });
const entry = (index: number, epoch: number): Entry => ({
  index,
  epoch,
  payload: new Uint8Array([index, epoch]),
});

const voterSet = { voters: [key(1), key(2), key(3)], vacant: [] };

/** Voter 1 of three, driven by hand. */
function lone(entries: Entry[] = [], epoch = entries.at(-1)?.epoch ?? 0): RaftCore {
  const start = {
    self: key(1),
    hardState: { epoch, votedFor: undefined },
    snapshot: { index: 0, epoch: 0, sizeBytes: 0, crc: 0, voterSet },
    entries,
    limits: DEFAULT_RAFT_LIMITS,
    randomSeed: 1,
  };
  return new RaftCore(start, 0);
}

const request = (core: RaftCore, from: number, message: Request, nowMs = 0): Effect[] =>
  core.step({ kind: 'request', from: key(from), request: message, token: 1 }, nowMs);

const append = (
  epoch: number,
  prevIndex: number,
  prevEpoch: number,
  entries: Entry[],
  commitIndex = 0,
): Request => ({
  type: 'append',
  epoch,
  prevIndex,
  prevEpoch,
  entries,
  commitIndex,
});

function find<K extends Effect['kind']>(effects: Effect[], kind: K): Extract<Effect, { kind: K }> {
  const found = effects.find((effect): effect is Extract<Effect, { kind: K }> => effect.kind === kind);
  if (!found) throw new Error(`no ${kind} among ${effects.map((effect) => effect.kind).join(', ')}`);
  return found;
}

describe('elections (Raft 5.2, 5.4.1)', () => {
  it('lets a vote out only behind its write, so that a crash cannot make it vote twice', () => {
    const core = lone();
    const vote: Request = {
      type: 'vote',
      preVote: false,
      epoch: 1,
      lastIndex: 0,
      lastEpoch: 0,
      transfer: false,
    };
    const effects = request(core, 2, vote);
    expect(effects.map((effect) => effect.kind)).toEqual(['persist', 'note', 'reply']);
    expect(find(effects, 'persist').hardState).toEqual({ epoch: 1, votedFor: key(2) });
    expect(find(effects, 'reply')).toMatchObject({ afterSync: true, response: { granted: true } });
    // Still in that epoch: nobody else gets the vote, the same candidate does again.
    expect(find(request(core, 3, vote), 'reply').response).toMatchObject({ granted: false });
    expect(find(request(core, 2, vote), 'reply').response).toMatchObject({ granted: true });
  });

  it('counts the vote for itself only once it is on disk', () => {
    const core = lone();
    core.step({ kind: 'tick' }, core.deadlineMs());
    const preVote: Request = {
      type: 'vote',
      preVote: true,
      epoch: 0,
      lastIndex: 0,
      lastEpoch: 0,
      transfer: false,
    };
    core.step(
      {
        kind: 'response',
        from: key(2),
        request: preVote,
        response: { type: 'vote', epoch: 0, granted: true },
      },
      300,
    );
    expect(core.state).toMatchObject({ role: 'candidate', epoch: 1 });
    const vote: Request = { ...preVote, preVote: false, epoch: 1 };
    core.step(
      { kind: 'response', from: key(2), request: vote, response: { type: 'vote', epoch: 1, granted: true } },
      301,
    );
    expect(core.state.role).toBe('candidate');
    core.step({ kind: 'persisted', epoch: 1, index: 0, generation: 0 }, 302);
    expect(core.state.role).toBe('leader');
  });

  it('never resumes an epoch after a restart (KAFKA-10527)', () => {
    const sim = settled();
    const leader = leaderOf(sim);
    const { epoch } = sim.state(leader);
    sim.crash(leader);
    sim.start(leader);
    expect(sim.state(leader)).toMatchObject({ role: 'resigned', epoch });
    expect(sim.run(10_000, () => sim.leaders().length === 1)).toBe(true);
    expect(sim.state(leaderOf(sim)).epoch).toBeGreaterThan(epoch);
  });

  it('takes no epoch from a stranger while a leader lives, but votes for one when none does (thesis 4.2)', () => {
    const core = lone();
    const vote: Request = {
      type: 'vote',
      preVote: false,
      epoch: 9,
      lastIndex: 99,
      lastEpoch: 8,
      transfer: false,
    };
    const from = { id: 2, directoryId: 'a new disk' };
    const ask = (nowMs: number) =>
      find(core.step({ kind: 'request', from, request: vote, token: 1 }, nowMs), 'reply').response;
    request(core, 3, append(1, 0, 0, []));
    expect(ask(500)).toMatchObject({ granted: false });
    expect(core.state.epoch).toBe(1);
    // It may be a voter of a set that this log does not have yet.
    expect(ask(1500)).toMatchObject({ granted: true });
  });
});

describe('pre-vote and check-quorum (thesis 6.2, 9.6)', () => {
  it('lets a lagging replica rejoin without bumping an epoch, and it catches up', () => {
    const sim = settled();
    const { epoch } = sim.state(leaderOf(sim));
    const lagging = followersOf(sim)[0] ?? 0;
    sim.isolate(lagging);
    for (let n = 0; n < 20; n++) {
      sim.propose(leaderOf(sim));
      sim.run(500);
    }
    sim.cuts.clear();
    sim.run(3000);
    expect(sim.state(leaderOf(sim)).epoch).toBe(epoch);
    expect(sim.state(lagging).epoch).toBe(epoch);
    expect(sim.replica(lagging).applied).toEqual(sim.replica(leaderOf(sim)).applied);
  });

  it('grants no pre-vote to a log that could not win, even without a leader (ClickHouse 121252, Redpanda 30815)', () => {
    const core = lone([entry(1, 1), entry(2, 2)]);
    const ask = (lastIndex: number, lastEpoch: number) => {
      const preVote: Request = {
        type: 'vote',
        preVote: true,
        epoch: 5,
        lastIndex,
        lastEpoch,
        transfer: false,
      };
      return find(request(core, 2, preVote), 'reply').response;
    };
    expect(ask(1, 1)).toMatchObject({ granted: false });
    expect(ask(9, 1)).toMatchObject({ granted: false });
    expect(ask(2, 2)).toMatchObject({ granted: true });
    expect(core.state.epoch).toBe(2);
  });

  it.each(['in', 'out'])(
    'resigns when its messages %s are lost, after at most two elections',
    (direction) => {
      for (let seed = 0; seed < 20; seed++) {
        const sim = settled(3, { seed });
        const old = leaderOf(sim);
        const before = stood(sim);
        for (const other of followersOf(sim))
          sim.cut(direction === 'in' ? other : old, direction === 'in' ? old : other);
        const resigned = sim.run(
          DEFAULT_RAFT_LIMITS.electionTimeoutMsMax + 200,
          () => sim.state(old).role !== 'leader',
        );
        expect(resigned).toBe(true);
        expect(sim.run(5000, () => sim.leaders().some((leader) => leader.key.id !== old))).toBe(true);
        sim.run(20_000);
        expect(stood(sim) - before, sim.notes.join('\n')).toBeLessThanOrEqual(2);
      }
    },
  );

  it('is not disturbed by a follower that hears nothing but can speak (half-open link, Cloudflare 2020)', () => {
    const sim = settled();
    const leader = leaderOf(sim);
    const before = stood(sim);
    sim.cut(leader, followersOf(sim)[0] ?? 0);
    sim.run(30_000);
    expect(leaderOf(sim)).toBe(leader);
    expect(stood(sim)).toBe(before);
  });
});

describe('leaving (thesis 3.10)', () => {
  it('hands over in one round, although the followers still hear a live leader (KAFKA-20895)', () => {
    for (let seed = 0; seed < 20; seed++) {
      const sim = settled(5, { seed });
      const old = leaderOf(sim);
      const before = stood(sim);
      sim.input(sim.replica(old), { kind: 'resign' });
      expect(sim.propose(old)).toBe(false);
      const next = () => sim.leaders().some((leader) => leader.key.id !== old && leader.core?.canPropose);
      expect(sim.run(60, next), sim.notes.join('\n')).toBe(true);
      expect(stood(sim) - before).toBe(1);
    }
  });

  it('replaces a dead leader soon after the hint, and shrugs off a wrong one', () => {
    const sim = settled();
    const old = leaderOf(sim);
    const others = followersOf(sim);
    const before = stood(sim);
    for (const id of others) sim.input(sim.replica(id), { kind: 'unreachable', id: old });
    sim.run(5000);
    expect(sim.leaders()).toHaveLength(1);
    expect(stood(sim) - before).toBeLessThanOrEqual(2);
    const dead = leaderOf(sim);
    sim.crash(dead);
    for (const { id } of sim.voters)
      if (id !== dead) sim.input(sim.replica(id), { kind: 'unreachable', id: dead });
    expect(sim.run(500, () => sim.leaders().length === 1)).toBe(true);
  });
});

describe('replication (Raft 5.3, 5.4.2)', () => {
  it('figure 8: an entry of an older epoch is never committed by counting', () => {
    // (c) of the figure: S1 leads epoch 4 and replicates (2, epoch 2) to a majority.
    const core = lone([entry(1, 1), entry(2, 2)], 3);
    core.step({ kind: 'tick' }, core.deadlineMs());
    const ask: Request = {
      type: 'vote',
      preVote: true,
      epoch: 3,
      lastIndex: 2,
      lastEpoch: 2,
      transfer: false,
    };
    core.step(
      { kind: 'response', from: key(2), request: ask, response: { type: 'vote', epoch: 3, granted: true } },
      300,
    );
    core.step({ kind: 'persisted', epoch: 4, index: 2, generation: 0 }, 301);
    const vote: Request = { ...ask, preVote: false, epoch: 4 };
    const elected = core.step(
      { kind: 'response', from: key(2), request: vote, response: { type: 'vote', epoch: 4, granted: true } },
      302,
    );
    expect(core.state).toMatchObject({ role: 'leader', epoch: 4, epochStartIndex: 3 });
    const sent = elected.find((effect) => effect.kind === 'send' && effect.request.type === 'append');
    if (sent?.kind !== 'send') throw new Error('no append was sent');
    const matched = (matchIndex: number) =>
      core.step(
        {
          kind: 'response',
          from: key(2),
          request: sent.request,
          response: {
            type: 'append',
            epoch: 4,
            success: true,
            matchIndex,
            conflictIndex: 0,
            conflictEpoch: 0,
          },
        },
        303,
      );
    matched(2);
    expect(core.state.commitIndex).toBe(0);
    // (e): once an entry of epoch 4 is on a majority, all beneath it is committed too. The leader counts itself for
    // what is on its disk alone.
    matched(3);
    expect(core.state.commitIndex).toBe(0);
    const committed = core.step({ kind: 'persisted', epoch: 4, index: 3, generation: 0 }, 304);
    expect(core.state.commitIndex).toBe(3);
    expect(
      committed.filter((effect) => effect.kind !== 'note' && effect.kind !== 'send').map((e) => e.kind),
    ).toEqual(['apply', 'leading']);
  });

  it('takes nothing for synced that was rewritten meanwhile, across two truncations (append ABA)', () => {
    const core = lone();
    const first = find(request(core, 2, append(1, 0, 0, [entry(1, 1), entry(2, 1)])), 'persist');
    const second = find(request(core, 3, append(2, 0, 0, [entry(1, 2)])), 'persist');
    // The very entries of epoch 1 come back, from a leader of epoch 3 that had them.
    const third = find(request(core, 2, append(3, 0, 0, [entry(1, 1), entry(2, 1)])), 'persist');
    const done = ({ epoch, index, generation }: typeof first) =>
      core.step({ kind: 'persisted', epoch, index, generation }, 1);
    done(first);
    expect(core.state.log.syncedIndex).toBe(0);
    done(second);
    expect(core.state.log.syncedIndex).toBe(0);
    done(third);
    expect(core.state.log.syncedIndex).toBe(2);
  });

  it('acknowledges entries behind their write, and a heartbeat at once, but for no more than is on disk', () => {
    const core = lone();
    const appended = request(core, 2, append(1, 0, 0, [entry(1, 1)]));
    expect(find(appended, 'reply')).toMatchObject({ afterSync: true, response: { matchIndex: 1 } });
    core.step({ kind: 'persisted', epoch: 1, index: 1, generation: 0 }, 1);
    request(core, 2, append(1, 1, 1, [entry(2, 1)]));
    const heartbeat = request(core, 2, append(1, 2, 1, []));
    expect(find(heartbeat, 'reply')).toMatchObject({
      afterSync: false,
      response: { success: true, matchIndex: 1 },
    });
    // The same entries once more, their first acknowledgement being lost: this one waits for the write too.
    const repeated = request(core, 2, append(1, 1, 1, [entry(2, 1)]));
    expect(find(repeated, 'reply')).toMatchObject({ afterSync: true, response: { matchIndex: 2 } });
  });

  it('backs up over a whole epoch per round trip', () => {
    const leader = new LogView(
      { index: 0, epoch: 0, voterSet },
      [1, 1, 1, 4, 4, 5, 5, 6, 6, 6].map((e, i) => entry(i + 1, e)),
    );
    const follower = new LogView(
      { index: 0, epoch: 0, voterSet },
      [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3].map((e, i) => entry(i + 1, e)),
    );
    // Figure 7 (f): the leader tries (10, epoch 6).
    const hint = follower.lastAtOrBefore(10, 6);
    expect(hint).toEqual({ index: 10, epoch: 3 });
    expect(leader.lastAtOrBefore(hint.index, hint.epoch)).toEqual({ index: 3, epoch: 1 });
  });

  it('crashes rather than replace a committed entry', () => {
    const core = lone([entry(1, 1), entry(2, 1)]);
    request(core, 2, append(1, 2, 1, [], 2));
    expect(core.state.commitIndex).toBe(2);
    expect(() => request(core, 3, append(2, 1, 1, [entry(2, 2)]))).toThrow(/committed entry 2/);
  });

  it('crashes when two leaders speak in one epoch', () => {
    const core = lone();
    request(core, 2, append(1, 0, 0, []));
    expect(() => request(core, 3, append(1, 0, 0, []))).toThrow(/two leaders in epoch 1/);
  });

  it('pipelines appends up to the window, each up to its size', () => {
    const sim = settled(3);
    const leader = leaderOf(sim);
    let inFlightMax = 0;
    sim.delayMs = 30;
    for (let n = 0; n < 200; n++) {
      sim.propose(leader);
      sim.run(1);
      for (const progress of sim.state(leader).replicas.values()) {
        inFlightMax = Math.max(inFlightMax, progress.inFlight.size);
      }
    }
    expect(inFlightMax).toBeGreaterThanOrEqual(DEFAULT_RAFT_LIMITS.appendsInFlightMax);
    expect(inFlightMax).toBeLessThanOrEqual(DEFAULT_RAFT_LIMITS.appendsInFlightMax + 8);
    expect(sim.run(2000, () => sim.checks.committed.length >= 200)).toBe(true);
  });
});

describe('a disk that loses what it had synced', () => {
  it('is brought up to date again, and told of', () => {
    const sim = settled();
    const [victim = 0] = followersOf(sim);
    const { durable } = sim.replica(victim);
    sim.crash(victim);
    durable.entries.splice(-2);
    sim.start(victim);
    const caughtUp = () => sim.replica(victim).applied.index >= sim.checks.committed.length;
    expect(sim.run(5000, caughtUp), sim.notes.slice(-20).join('\n')).toBe(true);
    expect(sim.notes.some((note) => note.includes('lost entries of the quorum log'))).toBe(true);
  });
});

describe('snapshots (Raft 7)', () => {
  it('recovers the same state from a snapshot at every index (KAFKA-14618, 17713, 14238)', () => {
    for (let at = 1; at <= 8; at++) {
      const sim = settled();
      const id = followersOf(sim)[0] ?? 0;
      while (sim.replica(id).applied.index < at + 3) {
        sim.propose(leaderOf(sim));
        sim.run(20);
        if (sim.replica(id).applied.index === at) sim.saveSnapshot(sim.replica(id));
      }
      sim.run(500);
      const before = sim.replica(id).applied;
      sim.crash(id);
      sim.start(id);
      expect(sim.run(3000, () => sim.replica(id).applied.index >= before.index)).toBe(true);
      sim.run(1000);
      expect(sim.replica(id).applied).toEqual(sim.replica(leaderOf(sim)).applied);
    }
  });

  it('brings a replica that missed everything up by chunks, through losses', () => {
    const sim = settled(3, { snapshotEvery: 10, observers: 1 });
    const late = followersOf(sim)[0] ?? 0;
    sim.crash(late);
    for (let n = 0; n < 60; n++) {
      sim.propose(leaderOf(sim));
      sim.run(20);
    }
    sim.lossRatio = 0.2;
    sim.start(late);
    const caughtUp = () => sim.replica(late).applied.index >= 60;
    expect(sim.run(30_000, caughtUp), sim.notes.slice(-20).join('\n')).toBe(true);
    expect(sim.notes.some((note) => note.includes(` ${late} Installing a snapshot`))).toBe(true);
  });
});

describe('observers', () => {
  it('follow a new leader as soon as there is one, though voters named the dead one meanwhile', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const sim = settled(3, { seed, observers: 1 });
      const old = leaderOf(sim);
      sim.isolate(old);
      const hasSuccessor = () => sim.leaders().some(({ key }) => key.id !== old);
      expect(sim.run(10_000, hasSuccessor)).toBe(true);
      expect(sim.run(400, () => ![old, undefined].includes(sim.state(4).leaderId))).toBe(true);
    }
  });

  it('find the leader, follow it and its successors, and never vote', () => {
    const sim = settled(3, { observers: 2 });
    const follows = () => [4, 5].every((id) => sim.replica(id).applied.index >= sim.checks.committed.length);
    expect(sim.run(3000, follows)).toBe(true);
    sim.crash(leaderOf(sim));
    expect(sim.run(10_000, () => sim.leaders().length === 1)).toBe(true);
    sim.propose(leaderOf(sim));
    sim.run(5000);
    expect(follows()).toBe(true);
    expect([4, 5].map((id) => sim.state(id).role)).toEqual(['observer', 'observer']);
  });

  it('are dropped when they fall silent', () => {
    const sim = settled(3, { observers: 1 });
    sim.run(1000);
    expect(sim.state(leaderOf(sim)).replicas.size).toBe(3);
    sim.crash(4);
    sim.run(DEFAULT_RAFT_LIMITS.observerTimeoutMs + 500);
    expect(sim.state(leaderOf(sim)).replicas.size).toBe(2);
  });
});
