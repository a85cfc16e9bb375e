/**
 * Failover of real processes: kills the leader of most partitions, or the active controller, with SIGKILL while every
 * partition is written to, and measures how long each partition led by the victim goes without an acknowledgement.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';
import { AckedWrites, verifyAcked } from './acked-writes.ts';

export type Victim = 'leader' | 'controller';

export interface FailoverResult {
  /** Per kill: the longest time that a partition led by the victim went without an acknowledgement. */
  readonly gapsMs: readonly number[];
  readonly acknowledged: number;
  /** Acknowledged writes that are lost, doubled or moved; must be empty. */
  readonly problems: readonly string[];
}

const TOPIC = 'failover';
const PARTITIONS = 6;
const NODES = 3;
const SETTLE_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
const WARM_UP_MS = 300;

const sleep = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));

export async function runFailover(kills: number, victims: readonly Victim[]): Promise<FailoverResult> {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-failover-'));
  const cluster = LocalCluster.create(dir, { nodes: NODES, basePort: await freeBasePort(NODES) });
  try {
    await cluster.up();
    const client = new Odradek({ bootstrap: cluster.bootstrap });
    await client.admin().createTopic({
      name: TOPIC,
      partitions: PARTITIONS,
      replicationFactor: NODES,
      configs: { 'min.insync.replicas': '2' },
    });
    const writes = new AckedWrites(client, TOPIC, PARTITIONS);
    const gapsMs: number[] = [];
    for (let kill = 0; kill < kills; kill++) {
      await untilSettled(client);
      await sleep(WARM_UP_MS);
      gapsMs.push(await killOne(cluster, client, writes, victims[kill % victims.length] ?? 'leader'));
    }
    await untilSettled(client);
    await writes.stop();
    const problems = await verifyAcked(client, TOPIC, writes, PARTITIONS);
    await client.close();
    return {
      gapsMs,
      acknowledged: writes.acked.length,
      problems: [...problems, ...writes.refused.map((error) => `refused: ${String(error)}`)],
    };
  } finally {
    await Promise.all(cluster.nodes.map((node) => node.end('kill')));
    rmSync(dir, { recursive: true, force: true });
  }
}

async function killOne(
  cluster: LocalCluster,
  client: Odradek,
  writes: AckedWrites,
  victim: Victim,
): Promise<number> {
  const [topic] = await client.admin().describeTopics([TOPIC]);
  const { controllerId } = await client.admin().describeCluster();
  const leaders = topic?.partitions.map(({ leader }) => leader) ?? [];
  const id = victim === 'controller' ? controllerId : leaders.find((leader) => leader !== controllerId);
  if (id === undefined) throw new Error(`found no ${victim} to kill`);
  const led = leaders.flatMap((leader, partition) => (leader === id ? [partition] : []));
  const killedAtMs = performance.now();
  await cluster.node(id).end('kill');
  const gapMs = await longestGap(writes, killedAtMs, led);
  await cluster.start(id);
  return gapMs;
}

async function longestGap(
  writes: AckedWrites,
  sinceMs: number,
  partitions: readonly number[],
): Promise<number> {
  for (;;) {
    const gaps = writes.gapsSince(sinceMs + POLL_MS, partitions);
    if (!gaps.includes(undefined)) return Math.max(...gaps.map((gap) => (gap ?? 0) + POLL_MS));
    if (performance.now() - sinceMs > SETTLE_TIMEOUT_MS) {
      throw new Error(`partitions ${partitions.join(', ')} took no write for ${SETTLE_TIMEOUT_MS} ms`);
    }
    await sleep(POLL_MS);
  }
}

/** Every replica is in sync again and every partition is led by its preferred replica. */
async function untilSettled(client: Odradek): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_TIMEOUT_MS;
  for (;;) {
    const [topic] = await client.admin().describeTopics([TOPIC]);
    const settled = topic?.partitions.every(
      ({ leader, replicas, isr }) => isr.length === NODES && leader === replicas[0],
    );
    if (settled) return;
    if (performance.now() > deadlineMs) throw new Error(`not settled: ${JSON.stringify(topic)}`);
    await sleep(POLL_MS);
  }
}
