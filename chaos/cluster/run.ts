import { LogTruncationError } from '../../src/client/index.ts';
import { checkHistory } from '../checker/checker.ts';
import type { Anomaly } from '../checker/history.ts';
import type { Plan } from '../schedule.ts';
import { type SimLogLine, SimWorld } from '../sim/world.ts';
import { Faults } from './faults.ts';
import { readFinalState } from './final-state.ts';
import { ClusterWatch } from './invariants.ts';
import { Stuck, waitingFor } from './liveness.ts';
import { SimCluster } from './sim-cluster.ts';
import { InvariantViolation } from './violation.ts';
import { TOPIC, Workload } from './workload.ts';

const READY_TIMEOUT_MS = 10_000;
const REST_TIMEOUT_MS = 90_000;
const WARM_UP_MS = 600;
/** Few, so that snapshots are taken, sent and started from in every run. */
const SNAPSHOT_ENTRIES = 40;

/** Clients saw what a correct cluster cannot show. */
class HistoryAnomaly extends Error {
  override readonly name = 'HistoryAnomaly';
  readonly anomalies: readonly Anomaly[];

  constructor(anomalies: readonly Anomaly[]) {
    const lines = anomalies.slice(0, 5).map(({ rule, message }) => `${rule}: ${message}`);
    super(`${anomalies.length} anomalies\n  ${lines.join('\n  ')}`);
    this.anomalies = anomalies;
  }
}

/** A node ended itself although nothing that happened to it is a reason to. */
class NodeCrash extends Error {
  override readonly name = 'NodeCrash';
}

export interface RunResult {
  readonly traceHash: string;
  readonly virtualMs: number;
  readonly acknowledged: number;
  readonly entriesCommitted: number;
}

/** A run that failed, with the lines that the nodes logged last. */
export class RunFailure extends Error {
  override readonly name = 'RunFailure';
  readonly plan: Plan;
  readonly log: readonly SimLogLine[];

  constructor(plan: Plan, cause: unknown, world: SimWorld) {
    const text = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
    super(`seed ${plan.seed}, at ${Math.round(world.nowMs)} virtual ms: ${text}`, { cause });
    this.plan = plan;
    this.log = world.log;
  }

  /** `safety`: an invariant or the history is broken; `liveness`: it does not come to rest; `crash`: anything else. */
  get verdict(): 'safety' | 'liveness' | 'crash' {
    const { cause } = this;
    const SAFETY = [InvariantViolation, HistoryAnomaly, LogTruncationError];
    if (SAFETY.some((kind) => cause instanceof kind)) return 'safety';
    return cause instanceof Stuck ? 'liveness' : 'crash';
  }
}

/** What a run may be given instead of its own. */
export interface RunOptions {
  readonly traceLinesMax?: number;
}

/**
 * Runs one plan: a cluster with clients at work, the plan's faults with the invariants checked after every event, then
 * everything healed; it must come to rest, and the history of the whole run must be one of a correct system.
 * @throws RunFailure
 */
export async function runPlan(plan: Plan, options: RunOptions = {}): Promise<RunResult> {
  const world = new SimWorld({ seed: plan.seed, ...options });
  try {
    return await run(world, plan);
  } catch (error) {
    throw new RunFailure(plan, error, world);
  }
}

async function run(world: SimWorld, plan: Plan): Promise<RunResult> {
  const cluster = new SimCluster(world, plan.nodes, { limits: { raftSnapshotEntries: SNAPSHOT_ENTRIES } });
  const watch = new ClusterWatch(cluster);
  world.onAfterEvent.push((happenedTo) => {
    const crash = happenedTo?.node.crashes[0];
    // A sync that fails must end the process: it is what the fault asks for.
    if (crash && !/injected EIO/.test(String(crash.stack)))
      throw new NodeCrash(`${happenedTo?.node.name}: ${crash.stack}`);
  });
  const workload = new Workload(world, cluster.bootstrap, (topic, partition, offset) =>
    watch.guarded(() => watch.replicas.onAcknowledged(topic, partition, offset)),
  );
  cluster.startAll();
  if (!(await world.runUntil(() => cluster.isReady, READY_TIMEOUT_MS)))
    throw new Stuck('the cluster did not start');
  await world.settle(workload.createTopic());
  workload.start();
  await world.run(world.nowMs + WARM_UP_MS);

  const random = world.random.fork('faults');
  const faults = new Faults({ world, cluster, workload, watch, topic: TOPIC, random });
  await faults.carryOut(plan);
  workload.stopProducing();
  faults.heal();

  const isAtRest = () => waitingFor(cluster, watch, workload).length === 0;
  await untilRest(world, isAtRest, () => waitingFor(cluster, watch, workload));
  await world.settle(readFinalState(cluster, workload, workload.recorder));

  const [unexpected] = workload.recorder.unexpected;
  if (unexpected) throw unexpected;
  const history = workload.recorder.end();
  const anomalies = checkHistory(history);
  if (anomalies.length > 0) throw new HistoryAnomaly(anomalies);
  return {
    traceHash: world.traceHash,
    virtualMs: world.nowMs,
    acknowledged: history.filter((each) => each.type === 'send' && each.outcome === 'ok').length,
    entriesCommitted: watch.quorum.committedCount,
  };
}

/** The state of rest is costly to tell, so it is looked at now and then. */
async function untilRest(world: SimWorld, isAtRest: () => boolean, reasons: () => string[]): Promise<void> {
  const deadlineMs = world.nowMs + REST_TIMEOUT_MS;
  while (!isAtRest()) {
    if (world.nowMs >= deadlineMs) {
      const list = reasons().map((reason) => `\n  ${reason}`);
      throw new Stuck(`${REST_TIMEOUT_MS} ms after all faults were over:${list.join('')}`);
    }
    await world.run(world.nowMs + 100);
  }
}
