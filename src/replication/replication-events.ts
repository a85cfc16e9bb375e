import type { Counter, Histogram, Meter, Sample } from '../platform/ports.ts';
import { silentMeter } from '../platform/silent-meter.ts';
import { REPLICATION_METRICS as M } from './metrics.ts';
import type { Partition } from './partition.ts';

/** What happens to the replicas of one broker, counted. */
export class ReplicationEvents {
  readonly meter: Meter;
  readonly produceWait: Histogram;
  readonly fetchWait: Histogram;
  readonly replicaFetchWait: Histogram;
  readonly fetchFailures: Counter;
  readonly rebuilds: Counter;

  constructor(meter: Meter = silentMeter) {
    this.meter = meter;
    this.produceWait = meter.histogram(M.purgatorySeconds, 'produce');
    this.fetchWait = meter.histogram(M.purgatorySeconds, 'fetch');
    this.replicaFetchWait = meter.histogram(M.purgatorySeconds, 'replica_fetch');
    this.fetchFailures = meter.counter(M.fetchFailures);
    this.rebuilds = meter.counter(M.rebuilds);
  }
}

/** Reads everything that there is to know of the replicas in one pass over them. */
export function samplePartitions(partitions: Iterable<Partition>, sample: Sample): void {
  const states = { leader: 0, follower: 0, opening: 0, idle: 0, corrupt: 0, closed: 0 };
  const lags = new Map<number, number>();
  let underReplicated = 0;
  let underMinIsr = 0;
  let produces = 0;
  for (const partition of partitions) {
    const { led, log, state, assignment } = partition;
    states[state]++;
    const { topicName, replicas } = assignment;
    const index = String(partition.partition);
    if (log) sample(M.sizeBytes, log.sizeBytes, topicName, index);
    if (!led || !log) continue;
    produces += partition.waiters.produceCount;
    if (led.core.isr.size < replicas.length) underReplicated++;
    if (!led.core.hasEnoughReplicas) underMinIsr++;
    sample(M.startOffset, log.logStartOffset, topicName, index);
    sample(M.endOffset, log.logEndOffset, topicName, index);
    sample(M.highWatermark, log.highWatermark, topicName, index);
    for (const { brokerId, fetchOffset } of led.core.describeFollowers()) {
      const lag = log.logEndOffset - Math.max(fetchOffset, log.logStartOffset);
      lags.set(brokerId, Math.max(lag, lags.get(brokerId) ?? 0));
    }
  }
  const { closed: _, ...shown } = states;
  for (const [state, count] of Object.entries(shown)) sample(M.replicas, count, state);
  for (const [follower, lag] of lags) sample(M.followerLag, lag, String(follower));
  sample(M.underReplicated, underReplicated);
  sample(M.underMinIsr, underMinIsr);
  sample(M.purgatory, produces, 'produce');
}
