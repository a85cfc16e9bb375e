/** What a consumer counts, and whom it tells. */

import type { ClientEvents } from './client-events.ts';
import type { Emitter } from './emitter.ts';
import type { FetchPositions } from './fetch-positions.ts';
import { type ConsumerMetrics, Histogram } from './metrics.ts';

/** Who wants to know how a consumer fares. */
export interface ConsumerWatch {
  readonly events: Emitter<ClientEvents>;
  readonly stats: ConsumerStats;
}

export class ConsumerStats {
  readonly fetchLatencyMs = new Histogram();
  recordsConsumed = 0;
  bytesConsumed = 0;
  bytesFetched = 0;
  fetches = 0;
  fetchesInFlight = 0;
  retries = 0;
  rebalances = 0;

  snapshot(positions: FetchPositions): ConsumerMetrics {
    const { fetchLatencyMs, ...counts } = this;
    return {
      ...counts,
      fetchLatencyMs: fetchLatencyMs.snapshot(),
      bufferedBytes: positions.bufferedBytes,
      lag: [...positions.all()].map(({ topic, partition, lag }) => ({ topic, partition, lag })),
    };
  }
}
