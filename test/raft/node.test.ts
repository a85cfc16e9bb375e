import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EndQuorumEpoch } from '../../src/protocol/messages/end-quorum-epoch.ts';
import { Vote } from '../../src/protocol/messages/vote.ts';
import { NodeCluster } from './support/node-cluster.ts';

const text = (line: string) => new TextEncoder().encode(line);

async function startedCluster(seed: number, voters = 3, limits = {}) {
  const cluster = new NodeCluster({ seed, voters, limits });
  cluster.startAll();
  await cluster.untilLeader();
  return cluster;
}

describe('first start', () => {
  it('makes one cluster of three blank nodes, and elects in well under a second', async () => {
    for (let seed = 0; seed < 20; seed++) {
      const cluster = new NodeCluster({ seed, voters: 3 });
      cluster.startAll();
      const leader = await cluster.untilLeader(900);
      const index = leader.raft.propose(text('hello'));
      const everywhere = () => [...cluster.running.values()].every(({ raft }) => raft.appliedIndex >= index);
      expect(await cluster.world.runUntil(everywhere, 500)).toBe(true);
      expect(new Set([...cluster.running.values()].map(({ raft }) => raft.clusterId)).size).toBe(1);
      expect(
        [...cluster.running.values()].every(({ raft, log }) => raft.isVoter && log.lines[0] === 'hello'),
      ).toBe(true);
    }
  });

  it('waits, and says for whom, until every configured voter has answered', async () => {
    const cluster = new NodeCluster({ seed: 1, voters: 3 });
    cluster.start(1);
    cluster.start(3);
    await cluster.world.run(20_000);
    expect(cluster.get(1).raft.bootstrapBlocked()).toContain('voter 2');
    expect(cluster.get(3).raft.clusterId).toBeUndefined();
    cluster.start(2);
    await cluster.untilLeader();
    expect(cluster.get(1).raft.bootstrapBlocked()).toBeUndefined();
  });

  it('makes at most one cluster, whenever nodes start, die and return on the way', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(fc.record({ afterMs: fc.nat(60), node: fc.integer({ min: 1, max: 3 }) }), { maxLength: 12 }),
        async (seed, toggles) => {
          const cluster = new NodeCluster({ seed, voters: 3 });
          for (const { afterMs, node } of toggles) {
            await cluster.world.run(cluster.world.nowMs + afterMs);
            if (cluster.running.has(node)) cluster.kill(node, 'power');
            else cluster.start(node);
          }
          cluster.startAll();
          await cluster.untilLeader(30_000);
          await cluster.world.run(cluster.world.nowMs + 3000);
          const ids = new Set([...cluster.running.values()].map(({ raft }) => raft.clusterId));
          expect([...ids], cluster.lastLog()).toHaveLength(1);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('lets a wiped node return as an observer, which follows but never votes', async () => {
    const cluster = await startedCluster(2, 3, { snapshotEntries: 5, trailingEntries: 0 });
    const wiped = cluster.voters.find((id) => cluster.get(id).raft.role !== 'leader') ?? 1;
    for (let n = 0; n < 12; n++) cluster.leader()?.raft.propose(text(`line ${n}`));
    await cluster.world.run(cluster.world.nowMs + 500);
    cluster.wipe(wiped);
    cluster.leader()?.raft.propose(text('while it was gone'));
    const back = cluster.start(wiped);
    const expected = () => cluster.leader()?.log.lines.length ?? Number.POSITIVE_INFINITY;
    expect(
      await cluster.world.runUntil(() => back.log.lines.length >= expected(), 5000),
      cluster.lastLog(),
    ).toBe(true);
    expect(back.raft).toMatchObject({ role: 'observer', isVoter: false });
    expect(cluster.world.log.map(({ message }) => message)).toContain(
      'This node voted with another disk, so it only observes now: the quorum lacks a voter',
    );
    // Two of three voters are left; without one more of them nobody can be elected, whatever the observer says.
    const other = cluster.voters.find((id) => id !== wiped && cluster.get(id).raft.role === 'leader') ?? 1;
    cluster.kill(other);
    await cluster.world.run(cluster.world.nowMs + 10_000);
    expect(cluster.leader()).toBeUndefined();
  });

  it('refuses to start blank when it is known to belong to a cluster, and in another cluster than that', async () => {
    const cluster = await startedCluster(3);
    const clusterId = cluster.get(1).raft.clusterId ?? '';
    cluster.wipe(1);
    const lost = cluster.start(1, { clusterId });
    await cluster.world.run(cluster.world.nowMs + 500);
    expect(lost.startError).toMatchObject({ code: 'RAFT_STATE_MISSING' });
    cluster.kill(1);
    cluster.kill(2);
    const foreign = cluster.start(2, { clusterId: 'another' });
    await cluster.world.run(cluster.world.nowMs + 500);
    expect(foreign.startError).toMatchObject({ code: 'FOREIGN_CLUSTER' });
  });

  it('starts alone when told to', async () => {
    const cluster = new NodeCluster({ seed: 4, voters: 3 });
    cluster.start(2, { bootstrapAlone: true });
    const leader = await cluster.untilLeader();
    leader.raft.propose(text('alone'));
    await cluster.world.run(cluster.world.nowMs + 100);
    expect(leader.log.lines).toEqual(['alone']);
  });
});

describe('leaving', () => {
  it('replaces a killed leader in about 150 ms when its port refuses', async () => {
    const times: number[] = [];
    for (let seed = 0; seed < 20; seed++) {
      const cluster = await startedCluster(seed);
      // Between two heartbeats: one that arrives behind the refusal says that the leader lives.
      await cluster.world.run(cluster.world.nowMs + 1100);
      const { raft } = await cluster.untilLeader();
      const killedAtMs = cluster.world.nowMs;
      cluster.kill(raft.leaderId ?? 0);
      await cluster.untilLeader();
      times.push(cluster.world.nowMs - killedAtMs);
    }
    times.sort((a, b) => a - b);
    expect(times[10]).toBeLessThan(150);
    expect(times.at(-1)).toBeLessThan(600);
  });

  it('hands over before it stops: one election, at once, nothing lost', async () => {
    for (let seed = 0; seed < 10; seed++) {
      const cluster = await startedCluster(seed);
      const { raft } = await cluster.untilLeader();
      const id = raft.leaderId ?? 0;
      const { epoch } = raft;
      for (let n = 0; n < 20; n++) raft.propose(text(`${n}`));
      const stoppedAtMs = cluster.world.nowMs;
      await cluster.world.settle(raft.stop());
      cluster.running.delete(id);
      const next = await cluster.untilLeader(100);
      expect(cluster.world.nowMs - stoppedAtMs).toBeLessThan(100);
      expect(next.raft.epoch).toBe(epoch + 1);
      expect(next.log.lines).toHaveLength(20);
    }
  });

  it('ends the process when a sync fails, and the others go on', async () => {
    const cluster = await startedCluster(5);
    const { raft } = await cluster.untilLeader();
    const id = raft.leaderId ?? 0;
    cluster.machine(id).disk.inject({ operation: 'sync', code: 'EIO', path: '.wal' });
    raft.propose(text('lost with the disk'));
    await cluster.world.run(cluster.world.nowMs + 100);
    expect(cluster.machine(id).crashes[0]?.message).toContain('EIO');
    cluster.running.delete(id);
    expect((await cluster.untilLeader()).raft.leaderId).not.toBe(id);
  });
});

describe('the driver', () => {
  it('answers what it promises only once the disk has it', async () => {
    const cluster = await startedCluster(6);
    const { raft: leader } = await cluster.untilLeader();
    const [id, candidate] = cluster.voters.filter((voter) => voter !== leader.leaderId);
    const { raft } = cluster.get(id ?? 0);
    const key = (of: number | undefined) =>
      leader.describe()?.voters.find((voter) => voter.id === of)?.directoryId ?? '';
    cluster.machine(id ?? 0).disk.latency.syncMs = 100_000;
    const target = { clusterId: leader.clusterId ?? '', voterId: id ?? 0, voterDirectoryId: key(id) };
    const answers: unknown[] = [];
    const vote = {
      candidateId: candidate ?? 0,
      candidateDirectoryId: key(candidate),
      candidateEpoch: leader.epoch + 7,
    };
    const log = { lastEpoch: 99, lastIndex: 99, preVote: false, transfer: false };
    void raft.handle(Vote, { ...target, ...vote, ...log }).then((answer) => answers.push(answer));
    await cluster.world.run(cluster.world.nowMs + 500);
    expect(raft.epoch).toBe(leader.epoch + 7);
    expect(answers).toEqual([]);
    expect(await cluster.world.runUntil(() => answers.length > 0, 10_000_000)).toBe(true);
    expect(answers).toMatchObject([{ errorCode: 0, voteGranted: true }]);
  });

  it('refuses requests meant for another cluster, or for the disk that it had before', async () => {
    const cluster = await startedCluster(7);
    const { raft } = cluster.get(1);
    const self = raft.describe()?.voters.find((voter) => voter.id === 1);
    const target = { clusterId: raft.clusterId ?? '', voterId: 1, voterDirectoryId: self?.directoryId ?? '' };
    const end = { leaderId: 2, leaderEpoch: 1 };
    const ask = (change: Partial<typeof target>) =>
      raft.handle(EndQuorumEpoch, { ...target, ...end, ...change });
    expect(await ask({})).toMatchObject({ errorCode: 0 });
    await expect(ask({ clusterId: 'another' })).rejects.toMatchObject({ code: 'INCONSISTENT_CLUSTER_ID' });
    await expect(ask({ voterDirectoryId: 'another' })).rejects.toMatchObject({ code: 'INVALID_VOTER_KEY' });
  });

  it('refuses proposals that are too large, too many, or made elsewhere', async () => {
    const cluster = await startedCluster(8, 3, { proposalBytesMax: 10, proposalsPendingMax: 3 });
    const { raft } = await cluster.untilLeader();
    const follower = cluster.voters.find((id) => id !== raft.leaderId) ?? 0;
    expect(() => cluster.get(follower).raft.propose(text('x'))).toThrow(
      expect.objectContaining({ code: 'NOT_CONTROLLER' }),
    );
    expect(() => raft.propose(text('01234567890'))).toThrow(/proposalBytesMax is 10/);
    for (let n = 0; n < 3; n++) raft.propose(text('x'));
    expect(() => raft.propose(text('x'))).toThrow(
      expect.objectContaining({ code: 'THROTTLING_QUOTA_EXCEEDED' }),
    );
  });
});

const fault = fc.record({
  afterMs: fc.integer({ min: 5, max: 800 }),
  kind: fc.constantFrom('kill', 'power', 'start', 'start', 'killLeader', 'powerLeader', 'cut', 'heal'),
  node: fc.integer({ min: 1, max: 3 }),
  other: fc.integer({ min: 1, max: 3 }),
});

describe('real nodes on simulated machines', () => {
  it('keep every applied line through kills, power losses with unsynced data, and cuts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(fault, { maxLength: 25 }), async (seed, faults) => {
        const limits = {
          snapshotEntries: 20,
          trailingEntries: 5,
          walFileBytes: 2000,
          snapshotChunkBytes: 64,
        };
        const cluster = new NodeCluster({ seed, voters: 3, limits });
        const applied: string[] = [];
        let proposed = 0;
        // After every event: what one node applied is a prefix of what any other did.
        cluster.world.onAfterEvent.push(() => {
          for (const { log } of cluster.running.values()) {
            for (let at = applied.length; at < log.lines.length; at++) applied.push(log.lines[at] ?? '');
            const last = log.lines.length - 1;
            if (log.lines[last] !== applied[last] && last >= 0) throw new Error(`logs differ at ${last}`);
          }
        });
        const keepProposing = () => {
          if (cluster.leader()) cluster.leader()?.raft.propose(text(`${proposed++}`));
          cluster.world.schedule(20, 'propose', keepProposing);
        };
        keepProposing();
        cluster.startAll();
        for (const { afterMs, kind, node, other } of faults) {
          await cluster.world.run(cluster.world.nowMs + afterMs);
          const leaderId = cluster.leader()?.raft.leaderId ?? node;
          if (kind === 'kill') cluster.kill(node);
          else if (kind === 'power') cluster.kill(node, 'power');
          else if (kind === 'killLeader') cluster.kill(leaderId);
          else if (kind === 'powerLeader') cluster.kill(leaderId, 'power');
          else if (kind === 'cut') cluster.cuts.add(`${node}>${other}`);
          else if (kind === 'heal') cluster.cuts.clear();
          else if (!cluster.running.has(node)) cluster.start(node);
        }
        cluster.cuts.clear();
        cluster.startAll();
        const goal = applied.length + 5;
        const healed = () => [...cluster.running.values()].every(({ log }) => log.lines.length >= goal);
        expect(await cluster.world.runUntil(healed, 30_000), cluster.lastLog()).toBe(true);
        for (const { log } of cluster.running.values()) {
          expect(log.lines.slice(0, goal)).toEqual(applied.slice(0, goal));
        }
      }),
      { numRuns: 60 },
    );
  });
});
