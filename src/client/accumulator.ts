/** Gathers records into batches, per partition. Pure: `sender.ts` decides what is sent when, `producer.ts` does it. */

import { COMPRESSION, type CompressionId } from '../protocol/compression.ts';
import { stampProducer } from '../protocol/record-batch.ts';
import { RecordBatchBuilder, type RecordInput } from '../protocol/record-batch-builder.ts';
import { CompressionRatio } from './compression-ratio.ts';

/** Who is told what became of a record; `tag` tells apart the records of one delivery. */
export interface Delivery {
  /** The record is about to go into a batch; false when nobody wants that any more. */
  begin?(tag: number): boolean;
  /** `offset` is -1 when unknown (acks 0); `appendTimeMs` is -1 unless the topic stamps the time of the append. */
  delivered(tag: number, topic: string, partition: number, offset: number, appendTimeMs: number): void;
  failed(tag: number, error: Error): void;
}

/**
 * `waiting` for its turn (the last of a partition still takes records), `sent` and not answered, to be sent again
 * (`retry`), `done`, or `split` into others, which take its place.
 */
type BatchState = 'waiting' | 'sent' | 'retry' | 'done' | 'split';

export interface BatchCompression {
  readonly id: CompressionId;
  readonly level: number | undefined;
}

const UNCOMPRESSED: BatchCompression = { id: COMPRESSION.none, level: undefined };

export class ProducerBatch {
  readonly topic: string;
  readonly partition: number;
  readonly createdAtMs: number;
  /** The running number of its first record, for `flush`. */
  readonly firstRecordNumber: number;
  readonly deliveries: Delivery[] = [];
  readonly tags: number[] = [];
  /** What its records take of the producer's buffer. */
  bufferBytes = 0;
  state: BatchState = 'waiting';
  closed = false;
  attempts = 0;
  /** Those of them in a row, up to the last, that went to the node of the last. */
  attemptsThere = 0;
  /** An attempt may have been written although no answer said so. */
  maybeWritten = false;
  /** No earlier batch of the partition was unanswered when this one was sent last: what a broker says of it is final. */
  sentAsFirst = false;
  sentTo = -1;
  requestId = -1;
  baseSequence = -1;
  /** Counts the batches of a partition in the order of their sequence numbers, without wrapping. */
  ordinal = -1;
  lastError: Error | undefined;
  readonly #builder: RecordBatchBuilder;
  #bytes: Uint8Array | undefined;

  constructor(
    topic: string,
    partition: number,
    nowMs: number,
    sizeBytesMax: number,
    firstRecordNumber: number,
    compression: BatchCompression = UNCOMPRESSED,
    sizeBytesHint = 0,
  ) {
    this.topic = topic;
    this.partition = partition;
    this.createdAtMs = nowMs;
    this.firstRecordNumber = firstRecordNumber;
    this.#builder = new RecordBatchBuilder({
      sizeBytesMax,
      sizeBytesHint,
      compression: compression.id,
      ...(compression.level !== undefined && { compressionLevel: compression.level }),
    });
  }

  get count(): number {
    return this.#builder.count;
  }

  /** Before compression, until `bytes` has made it final. */
  get sizeBytes(): number {
    return this.#bytes?.length ?? this.#builder.sizeBytes;
  }

  /** Before compression. */
  get plainBytes(): number {
    return this.#builder.sizeBytes;
  }

  tryAppend(record: RecordInput, delivery: Delivery, tag: number, bufferBytes: number): boolean {
    if (this.closed || !this.#builder.tryAppend(record)) return false;
    this.deliveries.push(delivery);
    this.tags.push(tag);
    this.bufferBytes += bufferBytes;
    return true;
  }

  get isSealed(): boolean {
    return this.#bytes !== undefined;
  }

  /** The finished batch; it takes no more records. */
  bytes(): Uint8Array {
    this.closed = true;
    this.#bytes ??= this.#builder.build();
    return this.#bytes;
  }

  /** Numbers the batch. A batch that was sent before is copied first: a dying connection may still hold its bytes. */
  stamp(producerId: number, producerEpoch: number, baseSequence: number): void {
    const bytes = this.attempts > 0 ? this.bytes().slice() : this.bytes();
    stampProducer(bytes, 0, { producerId, producerEpoch, baseSequence });
    this.#bytes = bytes;
    this.baseSequence = baseSequence;
  }
}

/** The records of one partition on their way, and the producer's identity there. */
export class PartitionQueue {
  readonly topic: string;
  readonly partition: number;
  /** Not sent yet, oldest first. */
  readonly waiting: ProducerBatch[] = [];
  /** Sent and not settled, in the order of their sequence numbers. */
  readonly inFlight: ProducerBatch[] = [];
  /** After a failure, nothing is sent to `blockedNode` until then. */
  blockedUntilMs = 0;
  /** How large its last batch was before compression: the next one will be about that. */
  lastPlainBytes = 0;
  blockedNode = -1;
  /** And it failed so that another is likely to lead soon, if not already. */
  seeksLeader = false;
  /** -1 until the first batch is numbered. */
  producerId = -1;
  producerEpoch = -1;
  nextSequence = 0;
  nextOrdinal = 0;
  /** The highest ordinal that was acknowledged. */
  ackedOrdinal = -1;
  /** The sequence has a hole: begin a new epoch once every request is answered. */
  mustBumpEpoch = false;

  constructor(topic: string, partition: number) {
    this.topic = topic;
    this.partition = partition;
  }

  get isEmpty(): boolean {
    return this.waiting.length === 0 && this.inFlight.length === 0;
  }
}

export class Accumulator {
  readonly #batchBytes: number;
  readonly #compression: BatchCompression;
  readonly #ratio: CompressionRatio | undefined;
  readonly #queues = new Map<string, PartitionQueue[]>();
  /** The partitions that hold any batch. */
  readonly active = new Set<PartitionQueue>();

  constructor(batchBytes: number, compression: BatchCompression = UNCOMPRESSED) {
    this.#batchBytes = batchBytes;
    this.#compression = compression;
    this.#ratio = compression.id === COMPRESSION.none ? undefined : new CompressionRatio();
  }

  /** Adds a record to its partition's newest batch, if it still fits in there. */
  append(
    topic: string,
    partition: number,
    record: RecordInput,
    delivery: Delivery,
    tag: number,
    bufferBytes: number,
  ): 'appended' | 'filled' | 'refused' {
    const { waiting } = this.queue(topic, partition);
    const open = waiting[waiting.length - 1];
    if (open === undefined || !open.tryAppend(record, delivery, tag, bufferBytes)) return 'refused';
    return open.plainBytes >= this.plainBytesMax(topic) ? 'filled' : 'appended';
  }

  /** Begins a new batch with a record that was refused. */
  appendToNew(
    topic: string,
    partition: number,
    record: RecordInput,
    delivery: Delivery,
    tag: number,
    bufferBytes: number,
    recordNumber: number,
    nowMs: number,
  ): void {
    const queue = this.queue(topic, partition);
    const last = queue.waiting.at(-1);
    if (last !== undefined) last.closed = true;
    const batch = new ProducerBatch(
      topic,
      partition,
      nowMs,
      this.plainBytesMax(topic),
      recordNumber,
      this.#compression,
      last?.plainBytes ?? queue.lastPlainBytes,
    );
    if (!batch.tryAppend(record, delivery, tag, bufferBytes))
      throw new Error('a new batch refused its first record');
    queue.waiting.push(batch);
    this.active.add(queue);
  }

  /** Whether a batch need not wait for more records. */
  isFull(batch: ProducerBatch): boolean {
    return batch.closed || batch.plainBytes >= this.plainBytesMax(batch.topic);
  }

  /** Ends a batch, compresses it, and learns from that how far the next one can be filled. */
  seal(batch: ProducerBatch): void {
    if (batch.isSealed) return;
    const { length } = batch.bytes();
    this.queue(batch.topic, batch.partition).lastPlainBytes = batch.plainBytes;
    this.#ratio?.observe(batch.topic, length / batch.plainBytes);
  }

  /** What a batch may hold so that it is about `batchBytes` large once it is compressed. */
  plainBytesMax(topic: string): number {
    return this.#ratio === undefined ? this.#batchBytes : this.#ratio.plainBytes(topic, this.#batchBytes);
  }

  /** How many batches of a partition are not settled. */
  backlog(topic: string, partition: number): number {
    const queue = this.#queues.get(topic)?.[partition];
    return queue === undefined ? 0 : queue.waiting.length + queue.inFlight.length;
  }

  queue(topic: string, partition: number): PartitionQueue {
    let queues = this.#queues.get(topic);
    if (queues === undefined) {
      queues = [];
      this.#queues.set(topic, queues);
    }
    let queue = queues[partition];
    if (queue === undefined) {
      queue = new PartitionQueue(topic, partition);
      queues[partition] = queue;
    }
    return queue;
  }
}
