/** Numbers about what a client does, cheap enough to be kept always. Snapshots are plain objects. */

import type { TopicPartition } from './fetch-positions.ts';

/** The values of a quantity since the start. Quantiles are right to within a tenth; zero when there are no values. */
export interface Distribution {
  readonly count: number;
  readonly sum: number;
  readonly mean: number;
  readonly max: number;
  readonly p50: number;
  readonly p99: number;
}

/** Buckets grow by this factor: what is in one differs by less than a tenth from its middle. */
const GROWTH = 1.2;
const LOG_GROWTH = Math.log(GROWTH);
/** The smallest value that is told apart from zero. */
const VALUE_MIN = 0.01;

export class Histogram {
  readonly #buckets: number[] = [];
  #count = 0;
  #sum = 0;
  #max = 0;

  observe(value: number): void {
    this.#count++;
    this.#sum += value;
    if (value > this.#max) this.#max = value;
    const bucket = value <= VALUE_MIN ? 0 : 1 + Math.floor(Math.log(value / VALUE_MIN) / LOG_GROWTH);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  snapshot(): Distribution {
    const mean = this.#count === 0 ? 0 : this.#sum / this.#count;
    const [count, sum, max] = [this.#count, this.#sum, this.#max];
    return { count, sum, mean, max, p50: this.#quantile(0.5), p99: this.#quantile(0.99) };
  }

  #quantile(q: number): number {
    let left = q * this.#count;
    for (const [bucket, count = 0] of this.#buckets.entries()) {
      left -= count;
      if (left > 0 || count === 0) continue;
      return bucket === 0 ? 0 : Math.min(this.#max, VALUE_MIN * GROWTH ** (bucket - 0.5));
    }
    return 0;
  }
}

/** A client's connections and requests, those of its producers and consumers included. */
export interface ClientMetrics {
  /** Open now. */
  readonly connections: number;
  readonly connects: number;
  readonly disconnects: number;
  /** Sent since the start, whatever came of them; `requestsFailed` had no answer. */
  readonly requests: number;
  readonly requestsFailed: number;
  readonly requestsInFlight: number;
  /** Long polls included. */
  readonly requestLatencyMs: Distribution;
  /** By how much brokers delayed their answers, together. */
  readonly throttleTimeMs: number;
  readonly metadataRefreshes: number;
  readonly leadersMoved: number;
  /** Whatever was tried again, producers and consumers included. */
  readonly retries: number;
}

/** What a producer did since it was made. */
export interface ProducerMetrics {
  /** Acknowledged as `acks` asks. */
  readonly recordsSent: number;
  /** Given up: their promises were rejected. */
  readonly recordsFailed: number;
  /** Bytes of the acknowledged batches, as they went over the wire. */
  readonly bytesSent: number;
  /** Of the batches, as they went over the wire. */
  readonly batchBytes: Distribution;
  readonly recordsPerBatch: Distribution;
  /** Bytes of batches as sent by their bytes before compression; 1 without compression, or before the first batch. */
  readonly compressionRatio: number;
  /** Batches sent again. */
  readonly retries: number;
  /** Batches that were too large for their topic and went in halves (KIP-126). */
  readonly batchesSplit: number;
  readonly requestsInFlight: number;
  readonly requestLatencyMs: Distribution;
  /** From the first record of a batch to its acknowledgement. */
  readonly deliveryLatencyMs: Distribution;
  /** Records' bytes that wait to be sent or acknowledged. */
  readonly bufferedBytes: number;
}

/** What a consumer did since it was made, and how far it is behind. */
export interface ConsumerMetrics {
  /** Handed out. */
  readonly recordsConsumed: number;
  /** Bytes of keys and values that were handed out. */
  readonly bytesConsumed: number;
  /** Bytes of batches as they came over the wire. */
  readonly bytesFetched: number;
  readonly fetches: number;
  readonly fetchesInFlight: number;
  /** Long polls included: an idle consumer's are as long as `fetchWaitMs`. */
  readonly fetchLatencyMs: Distribution;
  /** Bytes that were fetched ahead of the application. */
  readonly bufferedBytes: number;
  readonly retries: number;
  /** How often the group changed its partitions. */
  readonly rebalances: number;
  /** How many records each log has beyond the position, as of the last fetch; undefined before the first. */
  readonly lag: readonly (TopicPartition & { readonly lag: number | undefined })[];
}
