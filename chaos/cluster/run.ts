import { LogTruncationError } from '../../src/client/index.ts';
import { OLDEST_CATALOGUE_VERSION } from '../../src/protocol/catalogue-version.ts';
import { checkHistory } from '../checker/checker.ts';
import type { Anomaly } from '../checker/history.ts';
import { type Counts, Coverage } from '../coverage.ts';
import { CarryOut } from '../faults/carry-out.ts';
import { PARTITIONS } from '../faults/target.ts';
import { Handovers } from '../invariants/handovers.ts';
import { ClusterWatch } from '../invariants/index.ts';
import { LogStarts } from '../invariants/log-starts.ts';
import { InvariantViolation } from '../invariants/violation.ts';
import type { Plan } from '../plan.ts';
import { type SimLogLine, SimWorld } from '../sim/world.ts';
import { Situations } from '../situations.ts';
import { Recorder } from '../workloads/recorder.ts';
import { Workloads } from '../workloads/workloads.ts';
import { readFinalState } from './final-state.ts';
import { Stuck, waitingFor } from './liveness.ts';
import { SimCluster } from './sim-cluster.ts';

const TOPIC = 'main';
const READY_TIMEOUT_MS = 10_000;
const REST_TIMEOUT_MS = 90_000;
/** Between two looks whether a healed cluster has come to rest, which is costly to tell. */
const LOOK_MS = 100;
const WARM_UP_MS = 600;
/** Few, so that snapshots are taken, sent and started from in every run. */
const SNAPSHOT_ENTRIES = 40;
const RETENTION_CHECK_MS = 2000;

/** Clients saw what a correct cluster cannot show. */
class HistoryAnomaly extends Error {
  override readonly name = 'HistoryAnomaly';

  constructor(anomalies: readonly Anomaly[]) {
    const lines = anomalies.slice(0, 5).map(({ rule, message }) => `${rule}: ${message}`);
    super(`${anomalies.length} anomalies\n  ${lines.join('\n  ')}`);
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
  /** What the run reached. */
  readonly covered: Counts;
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
  readonly logLinesMax?: number;
  /** Called when the run is over, however it ended. */
  readonly onEnd?: (world: SimWorld) => void;
}

/**
 * Runs one plan: a cluster with clients at work, the plan's faults with the invariants checked after every event, then
 * everything healed; it must come to rest, and the history of the whole run must be one of a correct system.
 * @throws RunFailure
 */
export async function runPlan(plan: Plan, options: RunOptions = {}): Promise<RunResult> {
  const { seed, diskSeed, networkSeed } = plan;
  const world = new SimWorld({ seed, diskSeed, networkSeed, ...options });
  try {
    return await run(world, plan);
  } catch (error) {
    throw new RunFailure(plan, error, world);
  } finally {
    options.onEnd?.(world);
  }
}

async function run(world: SimWorld, plan: Plan): Promise<RunResult> {
  const cluster = new SimCluster(world, plan.nodes, {
    limits: { raftSnapshotEntries: SNAPSHOT_ENTRIES, retentionCheckMs: RETENTION_CHECK_MS },
    // With 1, the last replica in sync may lose its disk while the others are cut off: more than any system repairs.
    topicDefaults: { minInsyncReplicas: 2 },
  });
  const recorder = new Recorder();
  const coverage = new Coverage();
  const watch = new ClusterWatch(cluster, [
    (...about) => new Situations(...about, coverage),
    () => new Handovers(cluster, plan),
    (_, image) => new LogStarts(image, (moved) => recorder.logStartMoved(moved)),
  ]);
  const image = () => watch.images.image;
  watchCrashes(world);
  const workloads = new Workloads({
    ...{ world, cluster, image, recorder },
    topic: { name: TOPIC, partitions: PARTITIONS },
    mayHaveLost: (topic, partition) => watch.copies.isForgiven(topic, partition),
    onAcknowledged: (topic, partition, offset) => watch.onAcknowledged(topic, partition, offset),
  });
  if (plan.steps.some(({ fault }) => fault.kind === 'upgrade'))
    for (const member of cluster.nodes) member.config = { catalogueVersion: OLDEST_CATALOGUE_VERSION };
  cluster.startAll();
  if (!(await world.runUntil(() => cluster.isReady, READY_TIMEOUT_MS)))
    throw new Stuck('the cluster did not start');
  await world.settle(workloads.createTopic());
  workloads.start(plan);
  await world.run(world.nowMs + WARM_UP_MS);

  const random = world.random.fork('faults');
  for (const name of workloads.running) coverage.note('workload', name);
  const faults = new CarryOut({ world, cluster, workloads, image, random, coverage });
  await faults.run(plan);
  workloads.stop();
  faults.heal();

  await untilRest(world, () => waitingFor(cluster, image(), workloads));
  await world.settle(workloads.lookAtTheEnd());
  await world.settle(readFinalState(cluster, workloads));

  const history = recorder.end();
  const [unexpected] = recorder.unexpected;
  if (unexpected) throw unexpected;
  const anomalies = checkHistory(history);
  if (anomalies.length > 0) throw new HistoryAnomaly(anomalies);
  return {
    traceHash: world.traceHash,
    virtualMs: world.nowMs,
    acknowledged: recorder.acknowledged,
    entriesCommitted: watch.quorum.committedCount,
    covered: coverage.counts,
  };
}

/** A process that ends itself fails the run, unless a fault asks for it: a sync that fails must end the process. */
function watchCrashes(world: SimWorld): void {
  world.onAfterEvent.push((happenedTo) => {
    const crash = happenedTo?.node.crashes[0];
    if (crash && !/injected E|is full/.test(String(crash.stack)))
      throw new NodeCrash(`${happenedTo?.node.name}: ${crash.stack}`);
  });
}

async function untilRest(world: SimWorld, reasons: () => string[]): Promise<void> {
  const deadlineMs = world.nowMs + REST_TIMEOUT_MS;
  for (;;) {
    const waiting = reasons();
    if (waiting.length === 0) return;
    if (world.nowMs >= deadlineMs) {
      const list = waiting.map((reason) => `\n  ${reason}`);
      throw new Stuck(`${REST_TIMEOUT_MS} ms after all faults were over:${list.join('')}`);
    }
    await world.run(world.nowMs + LOOK_MS);
  }
}
