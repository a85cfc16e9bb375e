/** What a client counts about its connections and requests. */

import { type ClientMetrics, Histogram } from './metrics.ts';

export class ClientStats {
  readonly latencyMs = new Histogram();
  connections = 0;
  connects = 0;
  disconnects = 0;
  requests = 0;
  requestsFailed = 0;
  requestsInFlight = 0;
  throttleTimeMs = 0;
  metadataRefreshes = 0;
  leadersMoved = 0;
  retries = 0;

  snapshot(): ClientMetrics {
    const { latencyMs, ...counts } = this;
    return { ...counts, requestLatencyMs: latencyMs.snapshot() };
  }
}
