/**
 * The producer: a shell around `sender.ts`. It serializes and partitions records and keeps the buffer within its bound;
 * `produce-exchanges.ts` carries requests to the brokers.
 *
 * Back-pressure. Up to `bufferBytesMax` a record is taken at once. Beyond it `send` still returns a promise, and the
 * record waits in line for space, first come first served, at most `maxBlockMs`. The line is bounded too, by the same
 * number of bytes: what comes after that is refused with BUFFER_EXHAUSTED. So: await each `send`, or, to have many
 * under way, await `ready()` before each.
 */

import { asError } from '../platform/as-error.ts';
import { hasCodec, loadCodec } from '../protocol/compression.ts';
import type { RecordInput } from '../protocol/record-batch-builder.ts';
import { type Abortable, AbortableDelivery, abortable } from './aborting.ts';
import type { Delivery } from './accumulator.ts';
import type { ClientEvents } from './client-events.ts';
import type { Cluster } from './cluster.ts';
import { ManyDelivery, SendDelivery } from './delivery.ts';
import { Emitter } from './emitter.ts';
import { ClientError, closedError } from './errors.ts';
import type { ProducerMetrics } from './metrics.ts';
import { ProduceExchanges } from './produce-exchanges.ts';
import {
  headersOf,
  type ProducerOptions,
  type ProducerRecord,
  type ProducerSettings,
  producerSettings,
  type RecordMetadata,
} from './producer-options.ts';
import { ProducerStats } from './producer-stats.ts';
import { RecordRouter } from './record-router.ts';
import { Alarm, atMostUntil } from './rpc.ts';
import { SenderCore } from './sender.ts';
import { bytesOf, type Serializer, type TextOrBytes, textOrBytes } from './serde.ts';
import { bufferBytesOf, type Entry, WaitingLine } from './waiting-line.ts';

const READY = Promise.resolve();

/**
 * Sends records. Made by `client.producer()`; one serves a whole application, and batches for all of it.
 *
 *     const producer = client.producer({ value: json<Order>(), compression: 'zstd' });
 *     const { partition, offset } = await producer.send({ topic: 'orders', key: 'ada', value: order });
 *
 * It tries again by itself, in order and without duplicates, until `deliveryTimeoutMs`.
 */
export class Producer<K = TextOrBytes, V = TextOrBytes> {
  readonly #cluster: Cluster;
  readonly #settings: ProducerSettings;
  readonly #key: Serializer<K>;
  readonly #value: Serializer<V>;
  readonly #core: SenderCore;
  readonly #exchanges: ProduceExchanges;
  readonly #router: RecordRouter<K, V>;
  readonly #alarm: Alarm;
  readonly #events: Emitter<ClientEvents>;
  readonly #stats = new ProducerStats();
  readonly #stopListening: () => void;
  readonly #line: WaitingLine<K, V>;
  #bufferedBytes = 0;
  #recordCount = 0;
  #readyWaiters: (() => void)[] = [];
  #flushWaiters: { readonly upTo: number; readonly resolve: () => void }[] = [];
  #pumpScheduled = false;
  #codecState: 'ready' | 'loading' | Error = 'ready';
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closing: Promise<void> | undefined;

  constructor(cluster: Cluster, options: ProducerOptions<K, V>) {
    this.#cluster = cluster;
    this.#settings = producerSettings(options);
    this.#events = new Emitter(cluster.runtime.logger, cluster.events);
    // The type of the options lets a serializer be left out only where text or bytes are sent.
    this.#key = options.key ?? (textOrBytes as Serializer<unknown> as Serializer<K>);
    this.#value = options.value ?? (textOrBytes as Serializer<unknown> as Serializer<V>);
    const { limits, idempotent, compression, compressionLevel } = this.#settings;
    const batchCompression = { id: compression, level: compressionLevel };
    this.#core = new SenderCore({ ...limits, idempotent, compression: batchCompression });
    const watch = { events: this.#events, stats: this.#stats };
    this.#exchanges = new ProduceExchanges(cluster, this.#settings, this.#core, watch, () =>
      this.#onExchange(),
    );
    this.#alarm = new Alarm(cluster.runtime, () => this.#pump());
    const { accumulator } = this.#core;
    this.#router = new RecordRouter(cluster, options.partitioner, limits.maxBlockMs, {
      append: (topic, partition, entry) => this.#append(topic, partition, entry),
      drop: (entries, error) => this.#drop(entries, error),
      batchBytes: (topic) => accumulator.plainBytesMax(topic),
      backlog: (topic, partition) => accumulator.backlog(topic, partition),
    });
    this.#line = new WaitingLine(limits.bufferBytesMax, limits.maxBlockMs, cluster.runtime, () =>
      this.#resolveFlushes(),
    );
    this.#stopListening = cluster.onUpdate(() => this.#onMetadata());
    if (!hasCodec(compression)) void this.#loadCodec(compression);
  }

  /** Calls `listener` at each such event of this producer, until the returned function is called. */
  on<N extends 'retry' | 'deliveryFailed' | 'batchSplit'>(
    name: N,
    listener: (event: ClientEvents[N]) => void,
  ): () => void {
    return this.#events.on(name, listener);
  }

  /** What this producer did since it was made. */
  metrics(): ProducerMetrics {
    return this.#stats.snapshot(this.bufferedBytes);
  }

  /** Whether `close` is done. */
  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** Bytes that wait to be sent or acknowledged. */
  get bufferedBytes(): number {
    return this.#bufferedBytes + this.#line.bytes;
  }

  /**
   * Sends a record. Resolves with its place in the log once it is acknowledged as `acks` asks; rejects with a
   * `DeliveryError` when that did not happen within `deliveryTimeoutMs`, or cannot. A signal that fires ends the
   * waiting: a record that is in no batch yet is then left out; `maybeWritten` of the error (`ABORTED`) tells which.
   * Other errors: `SERIALIZATION_FAILED`, `BUFFER_EXHAUSTED`, `INVALID_RECORD`, `CLOSED`, and a `KafkaError` for a
   * topic that is unknown after `maxBlockMs`.
   */
  send(record: ProducerRecord<K, V>, { signal }: Abortable = {}): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      const timestamp = record.timestamp ?? this.#cluster.runtime.clock.wallMs();
      const delivery = new SendDelivery(timestamp, resolve, reject);
      this.#accept(record, timestamp, withSignal(delivery, [record], signal), 0);
    });
  }

  /** Sends many records for the price of one promise. Rejects with a `SendManyError` that tells which ones failed. */
  sendMany(records: readonly ProducerRecord<K, V>[], { signal }: Abortable = {}): Promise<RecordMetadata[]> {
    const nowMs = this.#cluster.runtime.clock.wallMs();
    const many = new ManyDelivery(records, nowMs);
    const delivery = withSignal(many, records, signal);
    records.forEach((record, i) => {
      this.#accept(record, record.timestamp ?? nowMs, delivery, i);
    });
    return many.promise;
  }

  /** Resolves as soon as the buffer has room. Await it before each `send` to have many records under way. */
  ready({ signal }: Abortable = {}): Promise<void> {
    if (this.#state !== 'open' || this.#hasRoom()) return READY;
    const room = new Promise<void>((resolve) => {
      this.#readyWaiters.push(resolve);
    });
    return abortable(room, signal);
  }

  /**
   * Sends what waits without lingering; resolves when every record sent before is acknowledged or has failed. A signal
   * that fires ends the waiting alone.
   */
  flush({ signal }: Abortable = {}): Promise<void> {
    return abortable(this.#flush(), signal);
  }

  #flush(): Promise<void> {
    const upTo = this.#recordCount;
    if (this.#oldestRecordNumber() > upTo) return READY;
    this.#core.flushUpTo(upTo);
    return new Promise((resolve) => {
      this.#flushWaiters.push({ upTo, resolve });
      this.#pumpSoon();
    });
  }

  /**
   * Flushes, for at most `timeoutMs` (`deliveryTimeoutMs` by default), then fails whatever is left with `CLOSED`. A second
   * call waits for the first.
   */
  close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.timeoutMs ?? this.#settings.limits.deliveryTimeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    const { runtime } = this.#cluster;
    await atMostUntil(runtime, runtime.clock.monotonicMs() + timeoutMs, this.flush());
    this.#shutDown();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #shutDown(): void {
    this.#state = 'closed';
    this.#exchanges.close();
    this.#stopListening();
    this.#alarm.clear();
    const error = closedError('producer');
    for (const { delivery, tag } of [...this.#router.clear(), ...this.#line.clear()])
      delivery.failed(tag, error);
    this.#core.failAll(error);
    this.#settle();
  }

  #accept(record: ProducerRecord<K, V>, timestamp: number, delivery: Delivery, tag: number): void {
    if (this.#state !== 'open') {
      delivery.failed(tag, closedError('producer'));
      return;
    }
    let input: RecordInput;
    try {
      input = this.#serialize(record, timestamp);
    } catch (cause) {
      const message = `a record for ${record.topic} cannot be serialized: ${asError(cause).message}`;
      delivery.failed(tag, new ClientError('SERIALIZATION_FAILED', message, { cause }));
      return;
    }
    const number = ++this.#recordCount;
    const bufferBytes = bufferBytesOf(input);
    const entry = { source: record, record: input, delivery, tag, bufferBytes, number, waitUntilMs: 0 };
    if (this.#line.isEmpty && this.#fits(bufferBytes)) this.#admit(entry);
    else this.#line.push(entry);
  }

  #serialize(record: ProducerRecord<K, V>, timestamp: number): RecordInput {
    const { topic, key, value, headers } = record;
    if (!Number.isSafeInteger(timestamp) || timestamp < 0)
      throw new RangeError(`the timestamp ${timestamp} is not a number of milliseconds since the epoch`);
    const keyBytes = key === undefined || key === null ? null : bytesOf(this.#key.serialize(key, topic));
    const valueBytes =
      value === null || value === undefined ? null : bytesOf(this.#value.serialize(value, topic));
    if (headers === undefined) return { timestamp, key: keyBytes, value: valueBytes };
    return { timestamp, key: keyBytes, value: valueBytes, headers: headersOf(headers) };
  }

  #hasRoom(): boolean {
    return this.#line.isEmpty && this.#bufferedBytes < this.#settings.limits.bufferBytesMax;
  }

  /** A record larger than the whole buffer is let in alone: a broker, not the buffer, decides what is too large. */
  #fits(bufferBytes: number): boolean {
    return (
      this.#bufferedBytes === 0 || this.#bufferedBytes + bufferBytes <= this.#settings.limits.bufferBytesMax
    );
  }

  #advanceLine(): void {
    this.#line.advance(
      (bufferBytes) => this.#fits(bufferBytes),
      (entry) => this.#admit(entry),
    );
    if (this.#readyWaiters.length > 0 && this.#hasRoom()) {
      for (const resolve of this.#readyWaiters.splice(0)) resolve();
    }
  }

  #admit(entry: Entry<K, V>): void {
    this.#bufferedBytes += entry.bufferBytes;
    this.#router.route(entry);
  }

  #append(topic: string, partition: number, entry: Entry<K, V>): void {
    const { record, delivery, tag, bufferBytes, number } = entry;
    if (delivery.begin?.(tag) === false) {
      this.#drop([entry], closedError('send'));
      return;
    }
    const { accumulator } = this.#core;
    const outcome = accumulator.append(topic, partition, record, delivery, tag, bufferBytes);
    if (outcome === 'appended') return;
    if (outcome === 'refused') {
      const nowMs = this.#cluster.runtime.clock.monotonicMs();
      accumulator.appendToNew(topic, partition, record, delivery, tag, bufferBytes, number, nowMs);
    }
    this.#pumpSoon();
  }

  /** These come to nothing. */
  #drop(entries: readonly Entry<K, V>[], error: Error): void {
    for (const { delivery, tag, bufferBytes } of entries) {
      this.#bufferedBytes -= bufferBytes;
      this.#stats.recordsFailed++;
      delivery.failed(tag, error);
    }
    // Later: this may be called from within the line's own advance.
    this.#pumpSoon();
  }

  #onMetadata(): void {
    if (this.#cluster.closed) {
      this.#shutDown();
      return;
    }
    this.#core.onLeadersChanged(this.#leaders);
    this.#pumpSoon();
  }

  readonly #leaders = {
    leaderOf: (topic: string, partition: number): number | undefined =>
      this.#cluster.metadata.partition(topic, partition)?.leaderId,
  };

  /** Once per turn: what is appended in one go is sent together, even without lingering. */
  #pumpSoon(): void {
    if (this.#pumpScheduled) return;
    this.#pumpScheduled = true;
    void READY.then(() => {
      this.#pumpScheduled = false;
      this.#pump();
    });
  }

  /** Nothing is sealed, and so nothing sent, before the codec is there. */
  async #loadCodec(compression: number): Promise<void> {
    this.#codecState = 'loading';
    try {
      await loadCodec(compression);
      this.#codecState = 'ready';
    } catch (error) {
      this.#codecState = asError(error);
    }
    this.#pump();
  }

  #pump(): void {
    if (this.#state === 'closed' || this.#codecState === 'loading') return;
    if (this.#codecState instanceof Error) this.#core.failAll(this.#codecState);
    const plan = this.#core.plan(this.#leaders, this.#cluster.runtime.clock.monotonicMs());
    for (const work of plan.requests) void this.#exchanges.carryOut(work);
    if (plan.needsMetadata) this.#cluster.requestUpdate();
    if (plan.needsProducerId) void this.#exchanges.initialize();
    this.#alarm.set(plan.wakeAtMs);
    this.#settle();
  }

  #onExchange(): void {
    this.#settle();
    this.#pumpSoon();
  }

  #settle(): void {
    const settled = this.#core.takeSettled();
    const nowMs = this.#cluster.runtime.clock.monotonicMs();
    for (const { batch, offset, appendTimeMs, error } of settled) {
      this.#bufferedBytes -= batch.bufferBytes;
      this.#stats.onSettled(batch, error, nowMs);
      const { topic, partition, deliveries, tags } = batch;
      if (error !== undefined) {
        this.#events.emit('deliveryFailed', { topic, partition, records: deliveries.length, error });
      }
      for (let i = 0; i < deliveries.length; i++) {
        const delivery = deliveries[i] as Delivery;
        const tag = tags[i] as number;
        if (error !== undefined) delivery.failed(tag, error);
        else delivery.delivered(tag, topic, partition, offset < 0 ? -1 : offset + i, appendTimeMs);
      }
    }
    this.#advanceLine();
    this.#resolveFlushes();
  }

  #resolveFlushes(): void {
    if (this.#flushWaiters.length === 0) return;
    const oldest = this.#oldestRecordNumber();
    const waiting = this.#flushWaiters;
    this.#flushWaiters = waiting.filter(({ upTo }) => oldest <= upTo);
    for (const { upTo, resolve } of waiting) if (oldest > upTo) resolve();
  }

  #oldestRecordNumber(): number {
    return Math.min(
      this.#core.oldestRecordNumber(),
      this.#line.firstNumber,
      this.#router.oldestRecordNumber(),
    );
  }
}

function withSignal<K, V>(
  delivery: Delivery,
  records: readonly ProducerRecord<K, V>[],
  signal: AbortSignal | undefined,
): Delivery {
  if (signal === undefined) return delivery;
  return new AbortableDelivery(delivery, records.length, signal, (tag) => records[tag]?.topic ?? '');
}
