import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KafkaError } from '../../src/protocol/errors.ts';
import { NodeCluster } from './support/node-cluster.ts';

const NODES = 5;
const VOTERS_MIN = 3;

const happening = fc.record({
  afterMs: fc.integer({ min: 5, max: 800 }),
  kind: fc.constantFrom(
    'add',
    'add',
    'remove',
    'removeLeader',
    'kill',
    'power',
    'powerLeader',
    'start',
    'start',
    'start',
    'cut',
    'heal',
    'heal',
    'wipe',
  ),
  node: fc.integer({ min: 1, max: NODES }),
  other: fc.integer({ min: 1, max: NODES }),
});

/** What the changes asked for came to, by error code. */
type Outcomes = Map<string, number>;

function change(cluster: NodeCluster, kind: 'add' | 'remove', id: number, outcomes: Outcomes): void {
  const leader = cluster.leader()?.raft;
  if (!leader) return;
  const { voters = [], observers = [] } = leader.describe() ?? {};
  const candidates = kind === 'add' ? observers : voters;
  const chosen = candidates.find((each) => each.id === id) ?? candidates[id % Math.max(candidates.length, 1)];
  if (!chosen || (kind === 'remove' && voters.length <= VOTERS_MIN)) return;
  leader.changeVoters({ kind, voter: { id: chosen.id, directoryId: chosen.directoryId } }, 500).then(
    () => outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1),
    (error: unknown) => {
      if (!(error instanceof KafkaError)) throw error;
      outcomes.set(error.code, (outcomes.get(error.code) ?? 0) + 1);
    },
  );
}

describe('real nodes on simulated machines, while their voters change', () => {
  it('keep every applied line, and agree on who votes once healed', async () => {
    const outcomes: Outcomes = new Map();
    let replaced = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(happening, { minLength: 5, maxLength: 30 }),
        async (seed, happenings) => {
          const limits = { snapshotEntries: 20, trailingEntries: 5, walFileBytes: 2000 };
          const cluster = new NodeCluster({
            seed,
            voters: VOTERS_MIN,
            limits: { ...limits, snapshotChunkBytes: 64, wipedVoterTimeoutMs: 2000 },
          });
          const applied: string[] = [];
          let proposed = 0;
          cluster.world.onAfterEvent.push(() => {
            for (const { log } of cluster.running.values()) {
              for (let at = applied.length; at < log.lines.length; at++) applied.push(log.lines[at] ?? '');
              const last = log.lines.length - 1;
              if (log.lines[last] !== applied[last] && last >= 0) throw new Error(`logs differ at ${last}`);
            }
          });
          const keepProposing = () => {
            cluster.leader()?.raft.propose(new TextEncoder().encode(`${proposed++}`));
            cluster.world.schedule(20, 'propose', keepProposing);
          };
          keepProposing();
          const startAll = () => {
            for (let id = 1; id <= NODES; id++) if (!cluster.running.has(id)) cluster.start(id);
          };
          startAll();
          await cluster.untilLeader();
          await cluster.world.run(cluster.world.nowMs + 500);
          // One lost disk is a minority of any three voters or more.
          let wiped: number | undefined;
          for (const { afterMs, kind, node, other } of happenings) {
            await cluster.world.run(cluster.world.nowMs + afterMs);
            const leaderId = cluster.leader()?.raft.leaderId ?? node;
            if (kind === 'add' || kind === 'remove') change(cluster, kind, node, outcomes);
            else if (kind === 'removeLeader') change(cluster, 'remove', leaderId, outcomes);
            else if (kind === 'kill') cluster.kill(node);
            else if (kind === 'power') cluster.kill(node, 'power');
            else if (kind === 'powerLeader') cluster.kill(leaderId, 'power');
            else if (kind === 'cut') cluster.cuts.add(`${node}>${other}`);
            else if (kind === 'heal') cluster.cuts.clear();
            else if (kind === 'start') {
              if (!cluster.running.has(node)) cluster.start(node);
            } else if (wiped === undefined) {
              cluster.wipe(node);
              wiped = node;
            }
          }
          cluster.cuts.clear();
          startAll();
          const goal = applied.length + 5;
          const votersOf = (id: number) => JSON.stringify(cluster.get(id).raft.voters);
          const healed = () => {
            const nodes = [...cluster.running.values()];
            const members = nodes.filter(({ raft }) => raft.isVoter).length;
            return (
              nodes.every(({ log }) => log.lines.length >= goal) &&
              [2, 3, 4, 5].every((id) => votersOf(id) === votersOf(1)) &&
              // Whoever votes is there with the disk that it votes with, and no seat is vacant.
              members === cluster.get(1).raft.voters.length &&
              members >= VOTERS_MIN
            );
          };
          expect(await cluster.world.runUntil(healed, 40_000), cluster.lastLog()).toBe(true);
          replaced += cluster.world.log.filter(({ message }) =>
            message.startsWith('Adding a voter in'),
          ).length;
        },
      ),
      { numRuns: 40 },
    );
    expect(outcomes.get('add'), JSON.stringify([...outcomes])).toBeGreaterThan(5);
    expect(outcomes.get('remove'), JSON.stringify([...outcomes])).toBeGreaterThan(1);
    expect(replaced).toBeGreaterThan(1);
  });
});
