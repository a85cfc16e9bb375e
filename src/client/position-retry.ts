/** What a failed request about a partition's position means: ask again later, or tell the application. */

import { backoffMs } from './backoff.ts';
import type { Cluster } from './cluster.ts';
import type { ConsumerWatch } from './consumer-stats.ts';
import { isRetriable } from './errors.ts';
import type { FetchPositions, PartitionState } from './fetch-positions.ts';

export function retryOrFail(
  cluster: Cluster,
  positions: FetchPositions,
  { events, stats }: ConsumerWatch,
  state: PartitionState,
  error: Error,
  sentence: string,
): void {
  const { clock, random, logger } = cluster.runtime;
  state.busy = false;
  if (!isRetriable(error)) {
    positions.fail(state, error);
    return;
  }
  state.failures++;
  state.retryAtMs = clock.monotonicMs() + backoffMs(cluster.limits, state.failures, random);
  const { topic, partition, phase, failures } = state;
  stats.retries++;
  cluster.noteRetry(phase === 'fetching' ? 'fetch' : 'offset', error, failures, { topic, partition }, events);
  logger.info({ topic, partition, phase, failures, err: error }, sentence);
  cluster.requestUpdate();
}
