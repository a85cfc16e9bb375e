import { BROKER_METRICS } from '../broker/metrics.ts';
import { CONTROLLER_METRICS } from '../controller/metrics.ts';
import { COORDINATOR_METRICS } from '../coordinator/metrics.ts';
import { LOG_METRICS } from '../log/metrics.ts';
import { PROCESS_METRICS } from '../platform/metrics.ts';
import type { Metric } from '../platform/ports.ts';
import { RAFT_METRICS } from '../raft/metrics.ts';
import { REPLICATION_METRICS } from '../replication/metrics.ts';
import { TRANSPORT_METRICS } from '../transport/metrics.ts';
import { SERVER_METRICS } from './metrics.ts';

/** Every metric that a node has, from what an operator looks at first to what explains it. */
export function metricCatalogue(): Metric[] {
  const layers: Record<string, Metric>[] = [
    SERVER_METRICS,
    CONTROLLER_METRICS,
    REPLICATION_METRICS,
    COORDINATOR_METRICS,
    TRANSPORT_METRICS,
    BROKER_METRICS,
    RAFT_METRICS,
    LOG_METRICS,
    PROCESS_METRICS,
  ];
  return layers.flatMap((layer) => Object.values(layer));
}
