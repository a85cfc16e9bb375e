import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin } from '../../../src/client/node.ts';
import type { Clients } from '../clients/clients.ts';
import { nameOf } from '../clients/context.ts';
import { GROUP } from '../clients/real-member.ts';
import type { RealCluster } from './real-cluster.ts';

/** A healed cluster did not come to rest. The message says who waits for what. */
export class Stuck extends Error {
  override readonly name = 'Stuck';
}

/** A node ended that nothing was done to. */
export class NodeEnded extends Error {
  override readonly name = 'NodeEnded';
}

/** A client saw an error that no client should ever see, however the cluster fares. */
export class Unexpected extends Error {
  override readonly name = 'Unexpected';

  constructor(cause: Error) {
    super(`a client saw what it never should: ${cause.message}`, { cause });
  }
}

const VOTERS = 3;
const POLL_MS = 100;
const ASK_TIMEOUT_MS = 5000;
/** Behind the leader of the quorum so much at most: commits of the group go on all the time. */
const METADATA_LAG_MAX = 500;

export interface World {
  readonly cluster: RealCluster;
  readonly clients: Clients;
  /** Sees the nodes directly, whatever happens to links. */
  readonly admin: Admin;
  readonly topic: string;
}

/** Resolves once the healed cluster is whole again. @throws Stuck, NodeEnded */
export async function untilAtRest(world: World, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const [unexpected] = world.clients.context.recorder.unexpected;
    if (unexpected) throw new Unexpected(unexpected);
    const reasons = await waitingFor(world);
    if (reasons.length === 0) return;
    for (const node of world.cluster.nodes) {
      if (!node.isRunning)
        throw new NodeEnded(`node ${node.id} ended by itself; its log ends so:\n${node.logTail(8)}`);
    }
    if (performance.now() > deadlineMs) throw new Stuck(reasons.join('\n'));
    await sleep(POLL_MS);
  }
}

/** What a healed cluster still waits for; nothing when it is whole. */
async function waitingFor(world: World): Promise<string[]> {
  const { cluster } = world;
  const statuses = await Promise.all(cluster.nodes.map((node) => node.status()));
  const starting = statuses.flatMap(({ id, state, waitingFor }) =>
    state === 'ready' ? [] : [`node ${id} is ${state}; it waits for ${waitingFor}`],
  );
  if (starting.length > 0) return starting;
  try {
    const parts = await Promise.all([quorumUnsettled(world), replicasBehind(world), groupUnsettled(world)]);
    return parts.flat();
  } catch (error) {
    return [`an administrator waits for an answer: ${String(error)}`];
  }
}

const ask = ({ admin }: World): Admin => admin.with({ timeoutMs: ASK_TIMEOUT_MS });

async function quorumUnsettled(world: World): Promise<string[]> {
  const { currentVoters, highWatermark } = await ask(world).describeQuorum();
  const { brokers } = await ask(world).describeCluster();
  const reasons = brokers.filter(({ isFenced }) => isFenced).map(({ id }) => `broker ${id} is fenced`);
  if (brokers.length !== world.cluster.nodes.length)
    reasons.push(`there are ${brokers.length} brokers instead of ${world.cluster.nodes.length}`);
  if (currentVoters.length !== VOTERS) reasons.push(`the quorum has ${currentVoters.length} voters`);
  for (const { replicaId, logEndOffset } of currentVoters) {
    if (logEndOffset < highWatermark - METADATA_LAG_MAX)
      reasons.push(`voter ${replicaId} has the metadata up to ${logEndOffset} of ${highWatermark}`);
  }
  return reasons;
}

async function replicasBehind(world: World): Promise<string[]> {
  const topics = await ask(world).describeTopics([world.topic]);
  return topics.flatMap(({ name, partitions }) =>
    partitions.flatMap(({ partition, leader, isr, replicas }) => {
      if (leader === undefined) return [`${name}-${partition} waits for a leader; its ISR is ${isr}`];
      if (isr.length < replicas.length)
        return [`${name}-${partition} waits for its ISR: ${isr} of ${replicas}`];
      return [];
    }),
  );
}

/** Every partition has one owner that knows it, and nobody else is in the group. */
async function groupUnsettled(world: World): Promise<string[]> {
  const { members, context } = world.clients;
  const [group] = await ask(world).describeGroups([GROUP]);
  const reasons: string[] = [];
  if (group?.members.length !== members.length)
    reasons.push(`the group has ${group?.members.length ?? 0} members instead of ${members.length}`);
  const owned = members.flatMap((member) => member.owned);
  for (let partition = 0; partition < context.partitions; partition += 1) {
    const count = owned.filter((name) => name === `${world.topic}-${partition}`).length;
    if (count !== 1) reasons.push(`${world.topic}-${partition} has ${count} owners in the group`);
  }
  if (reasons.length === 0) return [];
  const known = (group?.members ?? []).map(({ clientId, memberEpoch, assignment, targetAssignment }) => {
    const [has, shall] = [assignment, targetAssignment].map(
      (each) => each.map(nameOf).join(', ') || 'nothing',
    );
    return `the coordinator has ${clientId} in epoch ${memberEpoch} with ${has}; it shall have ${shall}`;
  });
  return [...reasons, ...members.map(({ state }) => state), ...known];
}
