/** What a producer can be told, and what it assumes when it is not. */

import { COMPRESSION, type CompressionId, type CompressionName } from '../protocol/compression.ts';
import type { RecordHeader } from '../protocol/record-batch-builder.ts';
import { ClientError } from './errors.ts';
import { withLimits } from './limits.ts';
import type { Partitioner } from './partitioning.ts';
import { bytesOf, type Serializer, type TextOrBytes } from './serde.ts';

/** `all`: every in-sync replica has it (and has synced it); 1: the leader wrote it; 0: it was handed to the network. */
export type Acks = 'all' | 1 | 0;

/** Headers as a list, where keys may repeat, or as an object. Text is written as UTF-8. */
export type HeadersInput =
  | readonly { readonly key: string; readonly value: Uint8Array | string | null }[]
  | { readonly [key: string]: Uint8Array | string | null };

/** A record to send. */
export interface ProducerRecord<K, V> {
  readonly topic: string;
  /** With one, the record goes to the partition of its hash; without (or null), where the sticky partitioner is. */
  readonly key?: K | null;
  /** null is a tombstone. */
  readonly value: V | null;
  /** Overrides the partitioner. */
  readonly partition?: number;
  /** Milliseconds since the epoch; the time of `send` by default. */
  readonly timestamp?: number;
  /** What travels beside key and value, for whoever handles the record; none by default. */
  readonly headers?: HeadersInput;
}

/** Where a record went. */
export interface RecordMetadata {
  readonly topic: string;
  readonly partition: number;
  /** -1 when unknown: with acks 0. */
  readonly offset: number;
  /** Milliseconds since the epoch: that of the record, or of its append where the topic says so. */
  readonly timestamp: number;
}

/** Defaults of the limits, each with its unit in its name. */
const PRODUCER_DEFAULTS = {
  /** How long a record may wait for others to share its batch, in milliseconds (`linger.ms`). Default 5; 0: not at all. */
  lingerMs: 5,
  /** A batch is sent once it is about this large, compressed (`batch.size`). Default 65,536; at most 16 MiB. */
  batchBytes: 65_536,
  /** How many bytes of batches one request may carry (`max.request.size`). Default 1 MiB; at most 64 MiB. */
  requestBytesMax: 1_048_576,
  /** How many bytes of records may wait to be sent and acknowledged (`buffer.memory`). Default 64 MiB. */
  bufferBytesMax: 67_108_864,
  /** How long a record may wait for buffer space, its topic or its partition, in ms (`max.block.ms`). Default 60,000. */
  maxBlockMs: 60_000,
  /**
   * From the batch's first record to the acknowledgement, retries included, in milliseconds (`delivery.timeout.ms`). After
   * that records fail with `DELIVERY_TIMEOUT`. Default 120,000.
   */
  deliveryTimeoutMs: 120_000,
  /** How long one request may go unanswered, in milliseconds (`request.timeout.ms`). Default 15,000. */
  requestTimeoutMs: 15_000,
  /**
   * Requests unanswered per node (`max.in.flight.requests.per.connection`). Default and maximum 5: brokers remember that
   * many batches per partition, so order and idempotence hold.
   */
  requestsInFlightMax: 5,
};

/** The numbers among a producer's options, with their defaults. */
export type ProducerLimits = typeof PRODUCER_DEFAULTS;

/** Text and bytes need no serializer; whoever sends anything else says how to make bytes of it. */
type Serializers<K, V> = ([K] extends [TextOrBytes]
  ? { readonly key?: Serializer<K> }
  : { readonly key: Serializer<K> }) &
  ([V] extends [TextOrBytes] ? { readonly value?: Serializer<V> } : { readonly value: Serializer<V> });

/** What `client.producer()` takes; a serializer may be left out only where text or bytes are sent. */
export type ProducerOptions<K = TextOrBytes, V = TextOrBytes> = GeneralOptions &
  Serializers<K, V> & {
    /** Chooses partitions instead of the hash of the key and the sticky partitioner: see `Partitioner`. */
    readonly partitioner?: Partitioner<K, V>;
  };

interface GeneralOptions extends Partial<ProducerLimits> {
  /** What counts as sent. Default `all`. */
  readonly acks?: Acks;
  /** No duplicates and no reordering through retries; on by default with acks `all`, which it needs. */
  readonly idempotent?: boolean;
  /** How batches are compressed; every client and the brokers understand all of these. `none` by default. */
  readonly compression?: CompressionName;
  /** How hard gzip (1 to 9, default 6) or zstd (1 to 22, default 3) tries; the others have no levels. */
  readonly compressionLevel?: number;
}

export interface ProducerSettings {
  readonly acks: -1 | 0 | 1;
  readonly idempotent: boolean;
  readonly compression: CompressionId;
  readonly compressionLevel: number | undefined;
  readonly limits: ProducerLimits;
}

/** Checks the options and fills in the defaults. */
export function producerSettings(options: GeneralOptions): ProducerSettings {
  const { acks = 'all', idempotent = acks === 'all' } = options;
  if (acks !== 'all' && acks !== 1 && acks !== 0) {
    throw new ClientError('INVALID_CONFIG', `producer: acks must be 'all', 1 or 0, not ${String(acks)}`);
  }
  if (idempotent && acks !== 'all') {
    throw new ClientError('INVALID_CONFIG', `producer: idempotent needs acks 'all', not ${acks}`);
  }
  const limits = withLimits('producer', PRODUCER_DEFAULTS, options, {
    lingerMs: { min: 0 },
    batchBytes: { min: 1, max: 16_777_216 },
    requestBytesMax: { min: 1, max: 67_108_864 },
    bufferBytesMax: { min: 1 },
    maxBlockMs: { min: 0 },
    deliveryTimeoutMs: { min: 1 },
    requestTimeoutMs: { min: 1 },
    requestsInFlightMax: { min: 1, max: 5 },
  });
  return { acks: acks === 'all' ? -1 : acks, idempotent, ...compressionOf(options), limits };
}

const LEVEL_MAX: { readonly [name in CompressionName]?: number } = { gzip: 9, zstd: 22 };

function compressionOf({
  compression = 'none',
  compressionLevel,
}: GeneralOptions): Pick<ProducerSettings, 'compression' | 'compressionLevel'> {
  if (!Object.hasOwn(COMPRESSION, compression)) {
    const names = Object.keys(COMPRESSION).join(', ');
    throw new ClientError(
      'INVALID_CONFIG',
      `producer: compression must be one of ${names}, not ${compression}`,
    );
  }
  if (compressionLevel !== undefined) {
    const max = LEVEL_MAX[compression];
    if (max === undefined) {
      throw new ClientError('INVALID_CONFIG', `producer: compression ${compression} has no levels`);
    }
    if (!Number.isInteger(compressionLevel) || compressionLevel < 1 || compressionLevel > max) {
      const message = `producer: compressionLevel of ${compression} must be an integer from 1 to ${max}, not ${compressionLevel}`;
      throw new ClientError('INVALID_CONFIG', message);
    }
  }
  return { compression: COMPRESSION[compression], compressionLevel };
}

const encoder = new TextEncoder();

/** Headers in the form of the record format; text becomes UTF-8. */
export function headersOf(input: HeadersInput): RecordHeader[] {
  const list = Array.isArray(input)
    ? (input as readonly { key: string; value: Uint8Array | string | null }[])
    : Object.entries(input as { [key: string]: Uint8Array | string | null }).map(([key, value]) => ({
        key,
        value,
      }));
  return list.map(({ key, value }) => ({
    key,
    value: typeof value === 'string' ? encoder.encode(value) : value && bytesOf(value),
  }));
}
