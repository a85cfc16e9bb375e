import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Odradek } from '../../../src/client/node.ts';
import { checkHistory } from '../../checker/checker.ts';
import { Prng } from '../../sim/prng.ts';
import { Recorder } from '../../workloads/recorder.ts';
import { Clients } from '../clients/clients.ts';
import type { Fault } from '../faults/fault.ts';
import { FAULTS } from '../faults/index.ts';
import { Availability } from './availability.ts';
import { readFinalState } from './final-state.ts';
import { Nemesis, type Step } from './nemesis.ts';
import { RealCluster } from './real-cluster.ts';
import { NodeEnded, Stuck, Unexpected, untilAtRest, type World } from './rest.ts';

export interface ChaosOptions {
  readonly dir: string;
  readonly seed: number;
  readonly forMs: number;
  /** Only faults whose names contain this; with a `!` before it, only those whose names do not. */
  readonly only?: string | undefined;
  readonly say: (line: string) => void;
  /** Hands out what ends the cluster, for whoever interrupts. */
  readonly onStarted: (end: () => Promise<void>) => void;
}

export interface ChaosResult {
  readonly steps: readonly Step[];
  /** Kinds of faults that can't happen here, and why. */
  readonly missing: ReadonlyMap<Fault, string>;
  readonly acknowledged: number;
}

/** A run that ended with a verdict. */
export class ChaosFailure extends Error {
  override readonly name = 'ChaosFailure';
  readonly verdict: 'crash' | 'safety' | 'liveness';

  constructor(verdict: ChaosFailure['verdict'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.verdict = verdict;
  }
}

const TOPIC = 'main';
const NODES = 4;
const PARTITIONS = 8;
const VOLUME_NODE = 2;
/** Room for all that clients write, of which nothing is deleted: about 2.5 MiB a minute. Only a fault may fill it. */
const VOLUME_MIB = 64;
const VOLUME_MIB_PER_MINUTE = 6;
const REST_TIMEOUT_MS = 120_000;
const SEND_TIMEOUT_MS = 120_000;
const TOPIC_CONFIGS = { 'min.insync.replicas': '2', 'segment.bytes': '262144' };
/** A wiped voter gets its seat back soon, so that a run sees many. */
const SETTINGS = ['limits.wipedVoterTimeoutMs=3000', 'autoCreateTopics=false'];
const ANOMALIES_SHOWN = 20;

/** Tortures a cluster of real processes while clients use it, and judges what they saw. @throws ChaosFailure */
export async function runChaos(o: ChaosOptions): Promise<ChaosResult> {
  const random = new Prng(`chaos ${o.seed}`);
  const chance = random.fork('links');
  const cluster = await RealCluster.start({
    dir: o.dir,
    nodes: NODES,
    settings: SETTINGS,
    volume: {
      nodeId: VOLUME_NODE,
      sizeMiB: VOLUME_MIB + Math.ceil((o.forMs / 60_000) * VOLUME_MIB_PER_MINUTE),
    },
    inNamespaces: true,
    random: () => chance.float(),
    onCreated: (created) => o.onStarted(() => created.end()),
  });
  try {
    const seen = new Odradek({ bootstrap: cluster.nodes.map(({ url }) => url), clientId: 'nemesis' });
    const admin = seen.admin();
    await admin.createTopic({
      name: TOPIC,
      partitions: PARTITIONS,
      replicationFactor: 3,
      configs: TOPIC_CONFIGS,
    });
    const recorder = new Recorder();
    const availability = new Availability(PARTITIONS);
    const clients = new Clients({ topic: TOPIC, partitions: PARTITIONS, recorder, availability, random });
    await clients.start(cluster);
    const world: World = { cluster, clients, admin, topic: TOPIC };
    const result = await torture(world, random, o);
    await judge(world, recorder);
    await seen.close();
    return { ...result, acknowledged: recorder.acknowledged };
  } catch (error) {
    throw failureOf(error);
  } finally {
    await cluster.end();
  }
}

async function torture(
  world: World,
  random: Prng,
  { forMs, only = '', say }: ChaosOptions,
): Promise<Pick<ChaosResult, 'steps' | 'missing'>> {
  const { cluster, clients } = world;
  const wanted = FAULTS.filter(({ name }) => only.startsWith('!') !== name.includes(only.replace('!', '')));
  if (wanted.length === 0) throw new Error(`no fault is called ${only}`);
  const context = { cluster, random } as Parameters<NonNullable<Fault['missing']>>[0];
  const missing = new Map(
    wanted.flatMap((fault) => {
      const why = fault.missing?.(context);
      return why === undefined ? [] : [[fault, why] as const];
    }),
  );
  const possible = wanted.filter((fault) => !missing.has(fault));
  const nemesis = new Nemesis(world, random, possible, say);
  await nemesis.run(performance.now() + forMs);
  say('the faults are over');
  await cluster.heal();
  await untilAtRest(world, REST_TIMEOUT_MS);
  await clients.stopProducing();
  const deadlineMs = performance.now() + SEND_TIMEOUT_MS;
  while (clients.pendingSends.length > 0) {
    if (performance.now() > deadlineMs)
      throw new Stuck(
        clients.pendingSends
          .slice(0, 10)
          .map((send) => `a producer waits for the fate of ${send}`)
          .join('\n'),
      );
    await sleep(50);
  }
  await untilAtRest(world, REST_TIMEOUT_MS);
  await clients.stopReading();
  return { steps: nemesis.steps, missing };
}

async function judge(world: World, recorder: Recorder): Promise<void> {
  await readFinalState(world);
  const [unexpected] = recorder.unexpected;
  if (unexpected) throw new Unexpected(unexpected);
  const anomalies = checkHistory(recorder.end());
  if (anomalies.length > 0) {
    const shown = anomalies.slice(0, ANOMALIES_SHOWN).map(({ rule, message }) => `${rule}: ${message}`);
    throw new ChaosFailure('safety', `${anomalies.length} anomalies:\n${shown.join('\n')}`);
  }
  const broken = world.cluster.nodes.flatMap(({ id, logFile }) =>
    readFileSync(logFile, 'utf8')
      .split('\n')
      .filter((line) => line.includes('The node crashes on a broken invariant'))
      .map((line) => `node ${id}: ${line}`),
  );
  if (broken.length > 0) throw new ChaosFailure('crash', broken.join('\n'));
}

function failureOf(error: unknown): ChaosFailure {
  if (error instanceof ChaosFailure) return error;
  if (error instanceof Unexpected) return new ChaosFailure('safety', error.message, { cause: error.cause });
  if (error instanceof Stuck) return new ChaosFailure('liveness', error.message);
  if (error instanceof NodeEnded) return new ChaosFailure('crash', error.message);
  return new ChaosFailure('crash', String(error), { cause: error });
}
