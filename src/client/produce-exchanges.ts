/** Carries the sender's produce requests to the brokers and their answers back, and obtains its producer ids. */

import { ERROR_CODE, errorDefinition, errorFor } from '../protocol/errors.ts';
import { InitProducerId } from '../protocol/messages/init-producer-id.ts';
import { Produce, type ProduceResponse } from '../protocol/messages/produce.ts';
import { ZERO_UUID } from '../protocol/uuid.ts';
import type { ProducerBatch } from './accumulator.ts';
import { backoffMs } from './backoff.ts';
import type { ClientEvents } from './client-events.ts';
import type { Cluster } from './cluster.ts';
import type { Emitter } from './emitter.ts';
import { closedError } from './errors.ts';
import { answersOf, type ProduceExchange, produceExchange } from './produce-request.ts';
import type { ProducerSettings } from './producer-options.ts';
import type { ProducerStats } from './producer-stats.ts';
import type { SenderCore } from './sender.ts';
import type { ProduceWork } from './sender-types.ts';

/** Who wants to know how it goes. */
interface Watch {
  readonly events: Emitter<ClientEvents>;
  readonly stats: ProducerStats;
}

const NEW_PRODUCER = {
  transactionalId: null,
  transactionTimeoutMs: 0,
  producerId: -1,
  producerEpoch: -1,
} as const;

export class ProduceExchanges {
  readonly #cluster: Cluster;
  readonly #settings: ProducerSettings;
  readonly #core: SenderCore;
  readonly #watch: Watch;
  /** The sender has been told something: look what it wants to do next. */
  readonly #onChange: () => void;
  #initializing = false;
  #closed = false;

  constructor(
    cluster: Cluster,
    settings: ProducerSettings,
    core: SenderCore,
    watch: Watch,
    onChange: () => void,
  ) {
    this.#watch = watch;
    this.#cluster = cluster;
    this.#settings = settings;
    this.#core = core;
    this.#onChange = onChange;
  }

  /** Sends one request and tells the sender what came of it. */
  async carryOut(work: ProduceWork): Promise<void> {
    const { acks, limits } = this.#settings;
    const topicIdOf = (topic: string) => this.#cluster.metadata.topic(topic)?.topicId ?? ZERO_UUID;
    const { clock } = this.#cluster.runtime;
    const { stats } = this.#watch;
    const sentAtMs = clock.monotonicMs();
    stats.requestsInFlight++;
    const exchange = produceExchange(work, topicIdOf, acks, limits.requestTimeoutMs);
    try {
      const response = await this.#cluster.send(work.nodeId, Produce, exchange.request, {
        timeoutMs: limits.requestTimeoutMs,
        oneWay: acks === 0,
      });
      stats.latencyMs.observe(clock.monotonicMs() - sentAtMs);
      if (acks === 0) this.#acceptUnseen(work);
      else this.#onResponse(work, exchange, response);
    } catch (error) {
      this.#core.onRequestFailed(work, error as Error, this.#retryAtMs(work));
      for (const batch of work.batches) this.#note(batch, error as Error);
      this.#cluster.runtime.logger.info(
        { node: work.nodeId, batches: work.batches.length, err: error },
        'A produce request failed and its batches are tried again',
      );
    }
    stats.requestsInFlight--;
    this.#core.onRequestDone(work);
    this.#onChange();
  }

  /** Obtains a producer id, however long it takes; what waits for it has its own deadline. */
  async initialize(): Promise<void> {
    if (this.#initializing) return;
    this.#initializing = true;
    try {
      const { producerId, producerEpoch } = await this.#cluster.retry(Number.POSITIVE_INFINITY, async () => {
        if (this.#closed) throw closedError('producer');
        const response = await this.#cluster.askAny(InitProducerId, NEW_PRODUCER);
        if (response.errorCode !== ERROR_CODE.NONE) throw errorFor(response.errorCode);
        return response;
      });
      this.#core.setProducerId(producerId, producerEpoch);
    } catch (error) {
      this.#core.failAll(error as Error);
    } finally {
      this.#initializing = false;
      this.#onChange();
    }
  }

  close(): void {
    this.#closed = true;
  }

  #onResponse(work: ProduceWork, exchange: ProduceExchange, response: ProduceResponse): void {
    const retryAtMs = this.#retryAtMs(work);
    for (const { batch, topicId, answer } of answersOf(work, exchange, response)) {
      this.#core.onAnswer(work, batch, answer, retryAtMs);
      if (answer.errorCode === ERROR_CODE.NONE) continue;
      const { name, action } = errorDefinition(answer.errorCode);
      const { topic, partition, attempts } = batch;
      this.#cluster.runtime.logger.info(
        { topic, partition, attempts, error: name },
        'A broker refused a record batch',
      );
      this.#note(batch, errorFor(answer.errorCode, answer.errorMessage));
      const { leaderId, leaderEpoch } = answer.currentLeader;
      if (leaderId >= 0) this.#cluster.leaderHint(topicId, partition, leaderId, leaderEpoch);
      else if (action === 'refresh-metadata') this.#cluster.requestUpdate();
    }
  }

  /** Tells what the sender decided about a batch that failed. */
  #note(batch: ProducerBatch, error: Error): void {
    const { events, stats } = this.#watch;
    const { topic, partition, attempts, count, sizeBytes } = batch;
    if (batch.state === 'split') {
      stats.batchesSplit++;
      events.emit('batchSplit', { topic, partition, records: count, bytes: sizeBytes });
    } else if (batch.state === 'retry') {
      stats.retries++;
      this.#cluster.noteRetry('produce', error, attempts, { topic, partition }, events);
    }
  }

  #acceptUnseen(work: ProduceWork): void {
    const unseen = { errorCode: ERROR_CODE.NONE, baseOffset: -1, logAppendTimeMs: -1 };
    for (const batch of work.batches) this.#core.onAnswer(work, batch, unseen, 0);
  }

  #retryAtMs(work: ProduceWork): number {
    const { clock, random } = this.#cluster.runtime;
    // A new leader that is not quite ready is not made to pay for the failures of the one before (KIP-951).
    const attempts = Math.max(...work.batches.map((batch) => batch.attemptsThere));
    return clock.monotonicMs() + backoffMs(this.#cluster.limits, attempts, random);
  }
}
