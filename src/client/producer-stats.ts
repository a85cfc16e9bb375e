/** What a producer counts. */

import type { ProducerBatch } from './accumulator.ts';
import { Histogram, type ProducerMetrics } from './metrics.ts';

export class ProducerStats {
  readonly latencyMs = new Histogram();
  readonly #batchBytes = new Histogram();
  readonly #recordsPerBatch = new Histogram();
  readonly #deliveryLatencyMs = new Histogram();
  #recordsSent = 0;
  #bytesSent = 0;
  #plainBytes = 0;
  recordsFailed = 0;
  retries = 0;
  batchesSplit = 0;
  requestsInFlight = 0;

  onSettled(batch: ProducerBatch, error: Error | undefined, nowMs: number): void {
    if (error !== undefined) {
      this.recordsFailed += batch.count;
      return;
    }
    this.#recordsSent += batch.count;
    this.#bytesSent += batch.sizeBytes;
    this.#plainBytes += batch.plainBytes;
    this.#batchBytes.observe(batch.sizeBytes);
    this.#recordsPerBatch.observe(batch.count);
    this.#deliveryLatencyMs.observe(nowMs - batch.createdAtMs);
  }

  snapshot(bufferedBytes: number): ProducerMetrics {
    return {
      recordsSent: this.#recordsSent,
      recordsFailed: this.recordsFailed,
      bytesSent: this.#bytesSent,
      batchBytes: this.#batchBytes.snapshot(),
      recordsPerBatch: this.#recordsPerBatch.snapshot(),
      compressionRatio: this.#plainBytes === 0 ? 1 : this.#bytesSent / this.#plainBytes,
      retries: this.retries,
      batchesSplit: this.batchesSplit,
      requestsInFlight: this.requestsInFlight,
      requestLatencyMs: this.latencyMs.snapshot(),
      deliveryLatencyMs: this.#deliveryLatencyMs.snapshot(),
      bufferedBytes,
    };
  }
}
