/**
 * Failover of real processes: strikes a partition leader, or the active controller, while every partition is written to,
 * and measures how long the partitions go without an acknowledgement: those that the victim led, those that it followed
 * (`acks=all` waits for it until it is out of the ISR), and those that it has nothing to do with.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TopicDescription } from '../../src/client/index.ts';
import type { Odradek } from '../../src/client/node.ts';
import { AckedWrites, verifyAcked } from './acked-writes.ts';
import { openScene, type Scene, type Strike } from './failover-scene.ts';
import { longestPauseMs } from './pauses.ts';

export type Victim = 'leader' | 'controller';

/** The longest pause between two acknowledgements of one partition, per kind of partition. */
export interface Round {
  /** Those that the victim led. */
  readonly ledMs: number;
  /** Those that it followed. */
  readonly followedMs: number;
  /** Those that it has no replica of. */
  readonly elsewhereMs: number;
  /** These again, over an equally long time without a fault. */
  readonly calmMs: number;
}

export interface FailoverResult {
  readonly rounds: readonly Round[];
  readonly acknowledged: number;
  /** Acknowledged writes that are lost, doubled or moved; must be empty. */
  readonly problems: readonly string[];
}

const TOPIC = 'failover';
/** With one node more than replicas, every node has partitions that it is no replica of. */
const NODES = 4;
const REPLICAS = 3;
const PARTITIONS = 8;
const SETTLE_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
const WARM_UP_MS = 300;
/** Everything has been acknowledged again for so long: the fault is over. */
const WINDOW_MS_MIN = 1000;
/** What was on its way when the victim was struck may still be acknowledged this much later. */
const LATE_ACK_MS = 100;

const sleep = (delayMs: number) => new Promise<void>((resolve) => setTimeout(resolve, delayMs));
type Partitions = TopicDescription['partitions'];

export async function runFailover(
  rounds: number,
  strike: Strike,
  victims: readonly Victim[],
): Promise<FailoverResult> {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-failover-'));
  const scene = await openScene(strike, dir, NODES);
  const { client } = scene;
  try {
    await client.admin().createTopic({
      name: TOPIC,
      partitions: PARTITIONS,
      replicationFactor: REPLICAS,
      configs: { 'min.insync.replicas': '2' },
    });
    const writes = new AckedWrites(client, TOPIC, PARTITIONS);
    const measured: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      const victim = victims[round % victims.length] ?? 'leader';
      measured.push(await strikeOne(scene, writes, victim));
    }
    await settled(client);
    await writes.stop();
    const problems = await verifyAcked(client, TOPIC, writes, PARTITIONS);
    await client.close();
    return {
      rounds: measured,
      acknowledged: writes.acked.length,
      problems: [...problems, ...writes.refused.map((error) => `refused: ${String(error)}`)],
    };
  } finally {
    await scene.end();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function strikeOne(scene: Scene, writes: AckedWrites, victim: Victim): Promise<Round> {
  const { client } = scene;
  const partitions = await settled(client);
  const { controllerId } = await client.admin().describeCluster();
  const id =
    victim === 'controller'
      ? controllerId
      : partitions.map(({ leader }) => leader).find((leader) => leader !== controllerId);
  if (id === undefined) throw new Error(`found no ${victim} to strike`);
  const seen = writes.acked.length;
  const calmFromMs = performance.now();
  await sleep(WARM_UP_MS + WINDOW_MS_MIN);
  const struckAtMs = performance.now();
  await scene.strike(id);
  await untilAcknowledged(writes, seen, struckAtMs + LATE_ACK_MS);
  await sleep(struckAtMs + WINDOW_MS_MIN - performance.now());
  const overAtMs = performance.now();
  const acks = writes.acked.slice(seen);
  const pause = (from: number, to: number, of: (partition: Partitions[number]) => boolean) =>
    longestPauseMs(
      acks,
      partitions.filter(of).map(({ partition }) => partition),
      from,
      to,
    );
  const round = {
    ledMs: pause(struckAtMs, overAtMs, ({ leader }) => leader === id),
    followedMs: pause(struckAtMs, overAtMs, ({ leader, isr }) => leader !== id && isr.includes(id)),
    elsewhereMs: pause(struckAtMs, overAtMs, ({ isr }) => !isr.includes(id)),
    calmMs: pause(calmFromMs, struckAtMs, ({ isr }) => !isr.includes(id)),
  };
  await scene.recover(id);
  return round;
}

/** Every partition was acknowledged something after `sinceMs`. */
async function untilAcknowledged(writes: AckedWrites, seen: number, sinceMs: number): Promise<void> {
  const missing = new Set(Array.from({ length: PARTITIONS }, (_, partition) => partition));
  for (let next = seen; missing.size > 0; await sleep(POLL_MS)) {
    for (; next < writes.acked.length; next++) {
      const ack = writes.acked[next];
      if (ack !== undefined && ack.atMs > sinceMs) missing.delete(ack.partition);
    }
    if (performance.now() - sinceMs > SETTLE_TIMEOUT_MS)
      throw new Error(`partitions ${[...missing].join(', ')} took no write for ${SETTLE_TIMEOUT_MS} ms`);
  }
}

/** Waits until every replica is in sync again and every partition is led by its preferred replica. */
async function settled(client: Odradek): Promise<Partitions> {
  const deadlineMs = performance.now() + SETTLE_TIMEOUT_MS;
  for (;;) {
    const [topic] = await client.admin().describeTopics([TOPIC]);
    const partitions = topic?.partitions ?? [];
    const isFull = partitions.every(({ isr }) => isr.length === REPLICAS);
    const isBalanced = partitions.every(({ leader, replicas }) => leader === replicas[0]);
    if (isFull && isBalanced && partitions.length === PARTITIONS) return partitions;
    if (isFull) await client.admin().electLeaders();
    if (performance.now() > deadlineMs) throw new Error(`not settled: ${JSON.stringify(topic)}`);
    await sleep(POLL_MS);
  }
}
