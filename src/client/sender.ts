/**
 * Decides which batches go into which produce request, and what their answers mean. Pure:
 * `produce-exchanges.ts` carries the requests out.
 *
 * Exactly once and in order, per partition (KIP-98, KIP-360), by three rules:
 * 1. Batches are numbered when first sent and keep their number. After a failure, those in flight are sent again in the
 *    order of their numbers, once no later one is unanswered, and before anything new. The broker knows a
 *    producer's last five batches, and answers one it has with its original offset; so none is sent more than four
 *    ahead of the oldest unsettled one, even when those between are settled.
 * 2. OUT_OF_ORDER_SEQUENCE_NUMBER for a batch behind an unsettled one means only that the earlier was not written.
 * 3. For the first in line it means that the sequence has a hole: an earlier batch failed for good, or the log lost
 *    its end. Then neither this batch nor any behind it is in the log, so the partition begins a new producer epoch
 *    at sequence 0 and sends them again. (An epoch belongs to one partition here: without transactions nothing
 *    links the epochs of different partitions.) But a leader that was replaced and does not know it says the same of
 *    batches that its successor has, and under a new epoch those would be there twice. So where one in flight may be
 *    written already, only a node that goes on saying so for longer than such a leader does is believed.
 */

import { ERROR_CODE, errorFor, KafkaError } from '../protocol/errors.ts';
import { Accumulator, type PartitionQueue, type ProducerBatch } from './accumulator.ts';
import { halvesOf } from './batch-split.ts';
import { type ClientErrorCode, DeliveryError, isRetriable } from './errors.ts';
import { addTo } from './grouping.ts';
import {
  type BatchAnswer,
  type LeaderView,
  MAYBE_WRITTEN,
  type ProduceWork,
  SEQUENCE_ERRORS,
  type SenderLimits,
  type SendPlan,
  type Settled,
  TOO_LARGE,
} from './sender-types.ts';

const SEQUENCES = 0x8000_0000;
const PRODUCER_EPOCH_MAX = 0x7fff;
/**
 * With the pauses between them these take longer than a broker that hears no controller goes on serving (a session and
 * two elections, about 6 s).
 */
const ATTEMPTS_OF_A_LEADER = 14;
export class SenderCore {
  readonly #limits: SenderLimits;
  /** Where the records go in. */
  readonly accumulator: Accumulator;
  readonly #inFlightByNode = new Map<number, number>();
  #settled: Settled[] = [];
  #producerId = -1;
  #producerEpoch = -1;
  #nextRequestId = 1;
  #rotation = 0;
  /** Records up to this running number do not wait for company. */
  #flushUpTo = -1;

  constructor(limits: SenderLimits) {
    this.#limits = limits;
    this.accumulator = new Accumulator(limits.batchBytes, limits.compression);
  }

  flushUpTo(recordNumber: number): void {
    this.#flushUpTo = Math.max(this.#flushUpTo, recordNumber);
  }

  /** The running number of the oldest record that is not settled; infinite when there is none. */
  oldestRecordNumber(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { inFlight, waiting } of this.accumulator.active) {
      for (const batch of inFlight) oldest = Math.min(oldest, batch.firstRecordNumber);
      oldest = Math.min(oldest, waiting[0]?.firstRecordNumber ?? oldest);
    }
    return oldest;
  }

  setProducerId(producerId: number, producerEpoch: number): void {
    this.#producerId = producerId;
    this.#producerEpoch = producerEpoch;
  }

  /** What was settled since the last call. */
  takeSettled(): readonly Settled[] {
    const settled = this.#settled;
    this.#settled = [];
    return settled;
  }

  /** Takes as many batches as may be sent now, in requests that combine all partitions led by one node. */
  plan(leaders: LeaderView, nowMs: number): SendPlan {
    const byNode = new Map<number, PartitionQueue[]>();
    let wakeAtMs = Number.POSITIVE_INFINITY;
    let needsMetadata = false;
    let needsProducerId = false;
    for (const queue of this.accumulator.active) {
      this.#expire(queue, nowMs);
      if (queue.isEmpty) {
        this.accumulator.active.delete(queue);
        continue;
      }
      wakeAtMs = Math.min(wakeAtMs, this.#deadlineOf(queue));
      const nodeId = leaders.leaderOf(queue.topic, queue.partition);
      if (nodeId === undefined) {
        needsMetadata = true;
      } else if (queue.blockedNode === nodeId && nowMs < queue.blockedUntilMs) {
        wakeAtMs = Math.min(wakeAtMs, queue.blockedUntilMs);
        // The backoff spares the node. Who leads instead is asked for again and again meanwhile, of others.
        if (queue.seeksLeader) needsMetadata = true;
      } else if (this.#limits.idempotent && queue.producerId < 0 && this.#producerId < 0) {
        needsProducerId = true;
      } else {
        wakeAtMs = Math.min(wakeAtMs, this.#lingerEndOf(queue, nowMs));
        addTo(byNode, nodeId, queue);
      }
    }
    const requests: ProduceWork[] = [];
    for (const [nodeId, queues] of byNode) this.#fillRequests(nodeId, queues, nowMs, requests);
    return { requests, needsMetadata, needsProducerId, wakeAtMs };
  }

  /** The answer about one batch. Ignored when the batch was settled or sent anew meanwhile. */
  onAnswer(work: ProduceWork, batch: ProducerBatch, answer: BatchAnswer, retryAtMs: number): void {
    if (batch.state !== 'sent' || batch.requestId !== work.requestId) return;
    const { errorCode } = answer;
    if (errorCode === ERROR_CODE.NONE || errorCode === ERROR_CODE.DUPLICATE_SEQUENCE_NUMBER) {
      const offset = errorCode === ERROR_CODE.NONE ? answer.baseOffset : -1;
      const queue = this.accumulator.queue(batch.topic, batch.partition);
      queue.ackedOrdinal = Math.max(queue.ackedOrdinal, batch.ordinal);
      // What waits behind it need not be spared a node that takes records.
      if (queue.blockedNode === work.nodeId) queue.blockedUntilMs = 0;
      this.#settle(batch, offset, answer.logAppendTimeMs, undefined);
    } else {
      this.#onFailure(batch, errorFor(errorCode, answer.errorMessage), retryAtMs);
    }
  }

  /** The whole request failed: no connection, or no answer. */
  onRequestFailed(work: ProduceWork, error: Error, retryAtMs: number): void {
    for (const batch of work.batches) {
      if (batch.state === 'sent' && batch.requestId === work.requestId)
        this.#onFailure(batch, error, retryAtMs);
    }
  }

  /** Every request ends here once, whatever came of it. */
  onRequestDone(work: ProduceWork): void {
    const left = (this.#inFlightByNode.get(work.nodeId) ?? 1) - 1;
    if (left > 0) this.#inFlightByNode.set(work.nodeId, left);
    else this.#inFlightByNode.delete(work.nodeId);
  }

  /**
   * Leaders may have moved: batches that an old one has not answered are due again at the new one, at once. The sequence
   * numbers sort out what was written already; without them it is better to wait for the answer.
   */
  onLeadersChanged(leaders: LeaderView): void {
    if (!this.#limits.idempotent) return;
    for (const queue of this.accumulator.active) {
      const nodeId = leaders.leaderOf(queue.topic, queue.partition);
      if (nodeId === undefined) continue;
      for (const batch of queue.inFlight) {
        if (batch.state !== 'sent' || batch.sentTo === nodeId) continue;
        batch.maybeWritten = true;
        batch.state = 'retry';
      }
    }
  }

  /** Gives up on everything. */
  failAll(error: Error): void {
    for (const queue of this.accumulator.active) {
      for (const batch of [...queue.inFlight, ...queue.waiting]) {
        this.#fail(batch, 'DELIVERY_FAILED', error.message, error);
      }
    }
  }

  #fillRequests(nodeId: number, queues: PartitionQueue[], nowMs: number, requests: ProduceWork[]): void {
    const { requestsInFlightMax, requestBytesMax } = this.#limits;
    let inFlight = this.#inFlightByNode.get(nodeId) ?? 0;
    for (; inFlight < requestsInFlightMax; inFlight++) {
      const batches: ProducerBatch[] = [];
      let requestBytes = 0;
      // Another partition is first each time, so that a full request starves none.
      this.#rotation++;
      for (let i = 0; i < queues.length; i++) {
        const queue = queues[(i + this.#rotation) % queues.length] as PartitionQueue;
        const batch = this.#nextBatch(queue, nodeId, nowMs);
        if (batch === undefined) continue;
        this.accumulator.seal(batch);
        if (batches.length > 0 && requestBytes + batch.sizeBytes > requestBytesMax) continue;
        requestBytes += batch.sizeBytes;
        batches.push(batch);
        this.#markSent(queue, batch, nodeId);
      }
      if (batches.length === 0) break;
      requests.push({ requestId: this.#nextRequestId++, nodeId, batches });
    }
    if (inFlight > 0) this.#inFlightByNode.set(nodeId, inFlight);
  }

  /** The batch of a partition that may go to `nodeId` now, if any (rule 1 above). */
  #nextBatch(queue: PartitionQueue, nodeId: number, nowMs: number): ProducerBatch | undefined {
    const { inFlight } = queue;
    let retry: ProducerBatch | undefined;
    for (const batch of inFlight) {
      if (batch.state === 'retry') retry ??= batch;
      else if (retry !== undefined || batch.sentTo !== nodeId || queue.mustBumpEpoch) return undefined;
    }
    if (queue.mustBumpEpoch && !this.#bumpEpoch(queue)) return undefined;
    if (retry !== undefined) {
      // A batch that was split made one more than brokers remember.
      const isTooFar =
        this.#limits.idempotent &&
        inFlight[0] !== undefined &&
        retry.ordinal - inFlight[0].ordinal >= this.#limits.requestsInFlightMax;
      return isTooFar ? undefined : retry;
    }
    const batch = queue.waiting[0];
    if (batch === undefined) return undefined;
    const ahead =
      this.#limits.idempotent && inFlight[0] ? queue.nextOrdinal - inFlight[0].ordinal : inFlight.length;
    if (ahead >= this.#limits.requestsInFlightMax) return undefined;
    return this.#isReady(batch, nowMs) ? batch : undefined;
  }

  #isReady(batch: ProducerBatch, nowMs: number): boolean {
    return (
      this.accumulator.isFull(batch) ||
      nowMs >= batch.createdAtMs + this.#limits.lingerMs ||
      batch.firstRecordNumber <= this.#flushUpTo
    );
  }

  #markSent(queue: PartitionQueue, batch: ProducerBatch, nodeId: number): void {
    if (batch.state === 'waiting') {
      queue.waiting.shift();
      queue.inFlight.push(batch);
      if (this.#limits.idempotent) this.#number(queue, batch);
    }
    batch.state = 'sent';
    batch.attempts++;
    batch.attemptsThere = batch.sentTo === nodeId ? batch.attemptsThere + 1 : 1;
    batch.sentTo = nodeId;
    batch.requestId = this.#nextRequestId;
    batch.sentAsFirst = queue.inFlight[0] === batch;
  }

  #number(queue: PartitionQueue, batch: ProducerBatch): void {
    if (queue.producerId < 0) {
      queue.producerId = this.#producerId;
      queue.producerEpoch = this.#producerEpoch;
      queue.nextSequence = 0;
    }
    batch.stamp(queue.producerId, queue.producerEpoch, queue.nextSequence);
    batch.ordinal = queue.nextOrdinal++;
    queue.nextSequence = (queue.nextSequence + batch.count) % SEQUENCES;
  }

  /** Rule 3 above. Nothing of the partition is unanswered. False when a new producer id is needed first. */
  #bumpEpoch(queue: PartitionQueue): boolean {
    if (queue.producerEpoch >= PRODUCER_EPOCH_MAX) {
      if (this.#producerId === queue.producerId) this.#producerId = -1;
      queue.producerId = -1;
      if (this.#producerId < 0) return false;
      queue.producerId = this.#producerId;
      queue.producerEpoch = this.#producerEpoch;
    } else {
      queue.producerEpoch++;
    }
    queue.mustBumpEpoch = false;
    queue.nextSequence = 0;
    for (const batch of queue.inFlight) this.#number(queue, batch);
    return true;
  }

  #onFailure(batch: ProducerBatch, error: Error, retryAtMs: number): void {
    const queue = this.accumulator.queue(batch.topic, batch.partition);
    batch.lastError = error;
    const code = error instanceof KafkaError ? error.code : undefined;
    if (code === undefined || MAYBE_WRITTEN.has(code)) batch.maybeWritten = true;
    if (this.#limits.idempotent && code !== undefined && SEQUENCE_ERRORS.has(code)) {
      batch.state = 'retry';
      if (queue.inFlight[0] !== batch || !batch.sentAsFirst) {
        // Once more at once, since the earlier may be there by now; it may also take as long as a request may.
        if (batch.attemptsThere > 2) this.#block(queue, batch, retryAtMs, false);
        return;
      }
      if (batch.ordinal < queue.ackedOrdinal) {
        // A later one was acknowledged, so this one is in the log, although the broker has forgotten where.
        this.#settle(batch, -1, -1, undefined);
        return;
      }
      if (
        batch.attemptsThere < ATTEMPTS_OF_A_LEADER &&
        queue.inFlight.some(({ maybeWritten }) => maybeWritten)
      ) {
        this.#block(queue, batch, retryAtMs, true);
        return;
      }
      queue.mustBumpEpoch = true;
      // A first bump costs no waiting; a broker that refuses every epoch must not be asked in a tight loop.
      this.#block(queue, batch, batch.attempts > 2 ? retryAtMs : 0, false);
    } else if (isRetriable(error)) {
      batch.state = 'retry';
      this.#block(
        queue,
        batch,
        retryAtMs,
        error instanceof KafkaError && error.action === 'refresh-metadata',
      );
    } else if (code !== undefined && TOO_LARGE.has(code) && batch.count > 1 && !batch.maybeWritten) {
      this.#split(queue, batch);
    } else {
      batch.state = 'retry';
      this.#fail(batch, 'DELIVERY_FAILED', error.message, error);
    }
  }

  /** A batch that is too large for the topic goes in two halves, which take its place and its numbers (KIP-126). */
  #split(queue: PartitionQueue, batch: ProducerBatch): void {
    const { inFlight } = queue;
    const at = inFlight.indexOf(batch);
    const halves = halvesOf(batch, this.#limits.compression);
    if (this.#limits.idempotent) {
      const [first, second] = halves;
      for (const later of inFlight.slice(at + 1)) later.ordinal++;
      if (queue.ackedOrdinal > batch.ordinal) queue.ackedOrdinal++;
      queue.nextOrdinal++;
      const { producerId, producerEpoch } = queue;
      first.stamp(producerId, producerEpoch, batch.baseSequence);
      second.stamp(producerId, producerEpoch, (batch.baseSequence + first.count) % SEQUENCES);
      first.ordinal = batch.ordinal;
      second.ordinal = batch.ordinal + 1;
    }
    inFlight.splice(at, 1, ...halves);
    batch.state = 'split';
  }

  #block(queue: PartitionQueue, batch: ProducerBatch, untilMs: number, seeksLeader: boolean): void {
    queue.blockedUntilMs = untilMs;
    queue.blockedNode = batch.sentTo;
    queue.seeksLeader = seeksLeader;
  }

  #expire(queue: PartitionQueue, nowMs: number): void {
    const { deliveryTimeoutMs } = this.#limits;
    while (true) {
      const oldest = queue.inFlight[0] ?? queue.waiting[0];
      // The same sum as in the deadline: a difference may round to just before it, and the wake-up come for ever.
      if (oldest === undefined || nowMs < oldest.createdAtMs + deliveryTimeoutMs) return;
      this.#fail(
        oldest,
        'DELIVERY_TIMEOUT',
        `not acknowledged within ${deliveryTimeoutMs} ms`,
        oldest.lastError,
      );
    }
  }

  #deadlineOf(queue: PartitionQueue): number {
    const oldest = queue.inFlight[0] ?? queue.waiting[0];
    return oldest === undefined
      ? Number.POSITIVE_INFINITY
      : oldest.createdAtMs + this.#limits.deliveryTimeoutMs;
  }

  /** When the next waiting batch is ready by itself; infinite when it is, and waits for something else. */
  #lingerEndOf(queue: PartitionQueue, nowMs: number): number {
    const batch = queue.waiting[0];
    if (batch === undefined || this.#isReady(batch, nowMs)) return Number.POSITIVE_INFINITY;
    return batch.createdAtMs + this.#limits.lingerMs;
  }

  #fail(batch: ProducerBatch, code: ClientErrorCode, reason: string, cause: unknown): void {
    // A batch that is still unanswered may be written even now.
    const maybeWritten = batch.maybeWritten || batch.state === 'sent';
    const { topic, partition } = batch;
    const error = new DeliveryError(code, `${topic}-${partition}: ${reason}`, {
      topic,
      partition,
      maybeWritten,
      retriable: code === 'DELIVERY_TIMEOUT' || isRetriable(cause),
      cause,
    });
    this.#settle(batch, -1, -1, error);
  }

  #settle(
    batch: ProducerBatch,
    offset: number,
    appendTimeMs: number,
    error: DeliveryError | undefined,
  ): void {
    const queue = this.accumulator.queue(batch.topic, batch.partition);
    const line = batch.state === 'waiting' ? queue.waiting : queue.inFlight;
    line.splice(line.indexOf(batch), 1);
    batch.state = 'done';
    batch.closed = true;
    if (queue.isEmpty) this.accumulator.active.delete(queue);
    this.#settled.push({ batch, offset, appendTimeMs, error });
  }
}
