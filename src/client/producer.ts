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
import { KafkaError } from '../protocol/errors.ts';
import type { RecordInput } from '../protocol/record-batch-builder.ts';
import type { Delivery } from './accumulator.ts';
import type { Cluster } from './cluster.ts';
import { ManyDelivery, SendDelivery } from './delivery.ts';
import { ClientError, closedError } from './errors.ts';
import type { TopicMetadata } from './metadata-cache.ts';
import { partitionOfKey } from './murmur2.ts';
import { ProduceExchanges } from './produce-exchanges.ts';
import {
  headersOf,
  type Partitioner,
  type ProducerOptions,
  type ProducerRecord,
  type ProducerSettings,
  producerSettings,
  type RecordMetadata,
} from './producer-options.ts';
import { Alarm } from './rpc.ts';
import { SenderCore } from './sender.ts';
import { type Serializer, type TextOrBytes, textOrBytes } from './serde.ts';
import { bufferBytesOf, type Entry, WaitingLine } from './waiting-line.ts';

interface TopicState {
  /** Records that wait for the topic's metadata. */
  pending: Entry[];
  nextRoundRobin: number;
}

const READY = Promise.resolve();

export class Producer<K = TextOrBytes, V = TextOrBytes> {
  readonly #cluster: Cluster;
  readonly #settings: ProducerSettings;
  readonly #key: Serializer<K>;
  readonly #value: Serializer<V>;
  readonly #partitioner: Partitioner;
  readonly #core: SenderCore;
  readonly #exchanges: ProduceExchanges;
  readonly #topics = new Map<string, TopicState>();
  readonly #alarm: Alarm;
  readonly #stopListening: () => void;
  readonly #line: WaitingLine;
  #bufferedBytes = 0;
  #recordCount = 0;
  #readyWaiters: (() => void)[] = [];
  #flushWaiters: { readonly upTo: number; readonly resolve: () => void }[] = [];
  #pumpScheduled = false;
  #codecState: 'ready' | 'loading' | Error = 'ready';
  #state: 'open' | 'closing' | 'closed' = 'open';

  constructor(cluster: Cluster, options: ProducerOptions<K, V>) {
    this.#cluster = cluster;
    this.#settings = producerSettings(options);
    // The type of the options lets a serializer be left out only where text or bytes are sent.
    this.#key = options.key ?? (textOrBytes as Serializer<unknown> as Serializer<K>);
    this.#value = options.value ?? (textOrBytes as Serializer<unknown> as Serializer<V>);
    this.#partitioner = options.partitioner ?? partitionOfKey;
    const { limits, idempotent, compression, compressionLevel } = this.#settings;
    const batchCompression = { id: compression, level: compressionLevel };
    this.#core = new SenderCore({ ...limits, idempotent, compression: batchCompression });
    this.#exchanges = new ProduceExchanges(cluster, this.#settings, this.#core, () => this.#onExchange());
    this.#alarm = new Alarm(cluster.runtime, () => this.#pump());
    this.#line = new WaitingLine(limits.bufferBytesMax, cluster.runtime, () => this.#resolveFlushes());
    this.#stopListening = cluster.onUpdate(() => this.#onMetadata());
    if (!hasCodec(compression)) void this.#loadCodec(compression);
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** Bytes that wait to be sent or acknowledged. */
  get bufferedBytes(): number {
    return this.#bufferedBytes + this.#line.bytes;
  }

  /**
   * Sends a record. Resolves with its place in the log once it is acknowledged as `acks` asks; rejects with a
   * `DeliveryError` when that did not happen within `deliveryTimeoutMs`, or cannot.
   */
  send(record: ProducerRecord<K, V>): Promise<RecordMetadata> {
    return new Promise((resolve, reject) => {
      const timestamp = record.timestamp ?? this.#cluster.runtime.clock.wallMs();
      this.#accept(record, timestamp, new SendDelivery(timestamp, resolve, reject), 0);
    });
  }

  /** Sends many records for the price of one promise. Rejects with a `SendManyError` that tells which ones failed. */
  sendMany(records: readonly ProducerRecord<K, V>[]): Promise<RecordMetadata[]> {
    const nowMs = this.#cluster.runtime.clock.wallMs();
    const timestamps = records.map(({ timestamp }) => timestamp ?? nowMs);
    const delivery = new ManyDelivery(timestamps);
    records.forEach((record, i) => {
      this.#accept(record, timestamps[i] as number, delivery, i);
    });
    return delivery.promise;
  }

  /** Resolves as soon as the buffer has room. Await it before each `send` to have many records under way. */
  ready(): Promise<void> {
    if (this.#state !== 'open' || this.#hasRoom()) return READY;
    return new Promise((resolve) => {
      this.#readyWaiters.push(resolve);
    });
  }

  /** Sends what waits without lingering; resolves when every record sent before is acknowledged or has failed. */
  flush(): Promise<void> {
    const upTo = this.#recordCount;
    if (this.#oldestRecordNumber() > upTo) return READY;
    this.#core.flushUpTo(upTo);
    return new Promise((resolve) => {
      this.#flushWaiters.push({ upTo, resolve });
      this.#pumpSoon();
    });
  }

  /** Flushes (at most `timeoutMs`), then fails whatever is left with CLOSED. */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    const { timers } = this.#cluster.runtime;
    const { timeoutMs = this.#settings.limits.deliveryTimeoutMs } = options;
    await new Promise<void>((resolve) => {
      const timer = timers.set(timeoutMs, resolve);
      void this.flush().then(() => {
        timers.clear(timer);
        resolve();
      });
    });
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
    const pending = [...this.#topics.values()].flatMap((topic) => topic.pending.splice(0));
    for (const { delivery, tag } of [...pending, ...this.#line.clear()]) delivery.failed(tag, error);
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
    const { topic, partition } = record;
    const bufferBytes = bufferBytesOf(input);
    const number = ++this.#recordCount;
    const isFirstInLine = this.#line.isEmpty && this.#fits(bufferBytes);
    const state = this.#topicState(topic);
    if (isFirstInLine && state.pending.length === 0) {
      const metadata = this.#cluster.metadata.topic(topic);
      if (metadata !== undefined) {
        this.#bufferedBytes += bufferBytes;
        this.#append(metadata, state, partition, input, delivery, tag, bufferBytes, number);
        return;
      }
    }
    const waitUntilMs = this.#cluster.runtime.clock.monotonicMs() + this.#settings.limits.maxBlockMs;
    const entry = { topic, partition, record: input, delivery, tag, bufferBytes, number, waitUntilMs };
    if (isFirstInLine) this.#admit(entry);
    else this.#line.push(entry);
  }

  #serialize(record: ProducerRecord<K, V>, timestamp: number): RecordInput {
    const { topic, key, value, headers } = record;
    if (!Number.isSafeInteger(timestamp))
      throw new RangeError(`the timestamp ${timestamp} is not an integer`);
    const keyBytes = key === undefined || key === null ? null : this.#key.serialize(key, topic);
    const valueBytes = value === null || value === undefined ? null : this.#value.serialize(value, topic);
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

  #admit(entry: Entry): void {
    this.#bufferedBytes += entry.bufferBytes;
    const state = this.#topicState(entry.topic);
    const topic = this.#cluster.metadata.topic(entry.topic);
    if (topic !== undefined && state.pending.length === 0) this.#appendEntry(topic, state, entry);
    else {
      state.pending.push(entry);
      if (state.pending.length === 1) void this.#awaitTopic(entry.topic, state);
    }
  }

  #topicState(topic: string): TopicState {
    let state = this.#topics.get(topic);
    if (state === undefined) {
      state = { pending: [], nextRoundRobin: 0 };
      this.#topics.set(topic, state);
      this.#cluster.addInterest(topic);
    }
    return state;
  }

  async #awaitTopic(name: string, state: TopicState): Promise<void> {
    const { maxBlockMs } = this.#settings.limits;
    const deadlineMs = this.#cluster.runtime.clock.monotonicMs() + maxBlockMs;
    try {
      const topic = await this.#cluster.topic(name, deadlineMs);
      for (const entry of state.pending.splice(0)) this.#appendEntry(topic, state, entry);
    } catch (cause) {
      const error =
        cause instanceof KafkaError || cause instanceof ClientError
          ? cause
          : new ClientError('DELIVERY_FAILED', asError(cause).message, { cause });
      for (const entry of state.pending.splice(0)) this.#drop(entry, error);
      this.#advanceLine();
      this.#resolveFlushes();
    }
  }

  #appendEntry(topic: TopicMetadata, state: TopicState, entry: Entry): void {
    const { partition, record, delivery, tag, bufferBytes, number } = entry;
    this.#append(topic, state, partition, record, delivery, tag, bufferBytes, number);
  }

  #append(
    topic: TopicMetadata,
    state: TopicState,
    wanted: number | undefined,
    record: RecordInput,
    delivery: Delivery,
    tag: number,
    bufferBytes: number,
    number: number,
  ): void {
    const { name, partitions } = topic;
    const partition = wanted ?? this.#partitionOf(topic, state, record.key);
    if (partitions[partition] === undefined) {
      const message = `${name} has ${partitions.length} partitions, so there is no partition ${partition}`;
      this.#bufferedBytes -= bufferBytes;
      delivery.failed(tag, new ClientError('INVALID_RECORD', message));
      return;
    }
    const { accumulator } = this.#core;
    const outcome = accumulator.append(name, partition, record, delivery, tag, bufferBytes);
    if (outcome === 'appended') return;
    if (outcome === 'refused') {
      const nowMs = this.#cluster.runtime.clock.monotonicMs();
      accumulator.appendToNew(name, partition, record, delivery, tag, bufferBytes, number, nowMs);
    }
    this.#pumpSoon();
  }

  #partitionOf({ partitions }: TopicMetadata, state: TopicState, key: Uint8Array | null): number {
    const count = partitions.length;
    if (key !== null) return this.#partitioner(key, count);
    // Round-robin over the partitions that have a leader, if any has one.
    for (let i = 0; i < count; i++) {
      const partition = state.nextRoundRobin++ % count;
      if (partitions[partition]?.leaderId !== undefined) return partition;
    }
    return state.nextRoundRobin++ % count;
  }

  #drop(entry: Entry, error: Error): void {
    this.#bufferedBytes -= entry.bufferBytes;
    entry.delivery.failed(entry.tag, error);
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
    if (settled.length === 0) return;
    for (const { batch, offset, appendTimeMs, error } of settled) {
      this.#bufferedBytes -= batch.bufferBytes;
      const { topic, partition, deliveries, tags } = batch;
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
    let oldest = Math.min(this.#core.oldestRecordNumber(), this.#line.firstNumber);
    for (const { pending } of this.#topics.values()) oldest = Math.min(oldest, pending[0]?.number ?? oldest);
    return oldest;
  }
}
