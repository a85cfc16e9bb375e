/**
 * The client: producer, consumer and administrator, for Node.js and browsers. It imports protocol, the transport's
 * RpcClient and platform's types, and no `node:` module: the world (WebSocket dialer, clock, timers, chance) is handed in.
 * `import 'odradek'` is `node.ts` in Node.js and `browser.ts` for browsers, which do that.
 *
 * Where to begin reading: `producer.ts` and `sender.ts`; `consumer.ts`, `fetch-positions.ts` and `group-member.ts`;
 * `cluster.ts`, `coordinators.ts` and `node-links.ts` below both.
 */

import type { Clock, Dialer, Logger, Random, Timers } from '../platform/ports.ts';
import { type CodecLoader, setCodecLoader } from '../protocol/compression.ts';
import { Admin } from './admin.ts';
import type { AdminOptions } from './admin-types.ts';
import type { ClientEvents } from './client-events.ts';
import { CLUSTER_DEFAULTS, Cluster, type ClusterLimits } from './cluster.ts';
import { Consumer } from './consumer.ts';
import type { ConsumerOptions } from './consumer-options.ts';
import { ClientError, closedError } from './errors.ts';
import { withLimits } from './limits.ts';
import type { ClientMetrics } from './metrics.ts';
import { Producer } from './producer.ts';
import type { ProducerOptions } from './producer-options.ts';
import { atMostUntil, silentLogger } from './rpc.ts';
import { RpcLink } from './rpc-link.ts';
import type { TextOrBytes } from './serde.ts';

export { type ErrorName, KafkaError } from '../protocol/errors.ts';
export type { Admin } from './admin.ts';
export type * from './admin-types.ts';
export type { ClientEvents } from './client-events.ts';
export type { Consumer, PollOptions } from './consumer.ts';
export type {
  ConsumerLimits,
  ConsumerOptions,
  ConsumerRecord,
  GroupMetadata,
  OffsetReset,
  PartitionOffset,
  RebalanceListener,
  StartFrom,
  TopicPartition,
} from './consumer-options.ts';
export { SendManyError } from './delivery.ts';
export {
  ClientError,
  type ClientErrorCode,
  DeliveryError,
  LogTruncationError,
  OffsetResetError,
} from './errors.ts';
export type { ClientMetrics, ConsumerMetrics, Distribution, ProducerMetrics } from './metrics.ts';
export { type Partitioner, type PartitionerInput, roundRobin } from './partitioning.ts';
export type { Producer } from './producer.ts';
export type {
  Acks,
  HeadersInput,
  ProducerLimits,
  ProducerOptions,
  ProducerRecord,
  RecordMetadata,
} from './producer-options.ts';
export { bytes, type Deserializer, json, type Serde, type Serializer, string } from './serde.ts';

/** What every client takes, wherever it runs. */
export interface ClientOptions extends Partial<ClusterLimits> {
  /** Addresses of one or more nodes, `ws://host:port`, as a list or separated by commas. */
  readonly bootstrap: string | readonly string[];
  /** Names this client in the brokers' logs. */
  readonly clientId?: string;
  /** How long a connection may take to be made, in milliseconds. Default 2,000; 7,000 in browsers. */
  readonly connectTimeoutMs?: number;
  /** The largest answer that is taken, in bytes. Default 128 MiB. */
  readonly responseBytesMax?: number;
}

/** What `new Odradek` takes, in Node.js and in browsers. */
export interface OdradekOptions extends ClientOptions {
  /** Where the client reports retries, moved leaders and the like; nowhere by default. */
  readonly logger?: Logger;
}

/** What the client needs of the world. */
export interface ClientPorts {
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly logger?: Logger;
  /** Where compression comes from; without it, batches are written and read uncompressed only. */
  readonly codecs?: CodecLoader;
}

interface Closable {
  readonly closed: boolean;
  close(options?: { readonly timeoutMs?: number }): Promise<void>;
}

const LINK_DEFAULTS = { connectTimeoutMs: 2_000, responseBytesMax: 134_217_728 };

/** One client of a cluster; its producers, consumers and admins share connections and metadata. */
export class OdradekClient {
  readonly #cluster: Cluster;
  readonly #open = new Set<Closable>();

  constructor(options: ClientOptions, ports: ClientPorts) {
    const { dialer, clock, timers, random, logger = silentLogger, codecs } = ports;
    if (codecs !== undefined) setCodecLoader(codecs);
    const { clientId = 'odradek-client' } = options;
    const link = withLimits('client', LINK_DEFAULTS, options);
    const openLink = (url: string, onDisconnected: (reason: string) => void) =>
      new RpcLink({ dialer, timers, clock, url, clientId, onDisconnected, ...link });
    const limits = withLimits('client', CLUSTER_DEFAULTS, options);
    this.#cluster = new Cluster(addressesOf(options.bootstrap), limits, {
      openLink,
      clock,
      timers,
      random,
      logger,
    });
  }

  /**
   * Makes a producer. Types of keys and values come from the serializers: `client.producer({ value: json<Order>() })`.
   *
   * @throws ClientError `INVALID_CONFIG` naming the option, `CLOSED` after `close`
   */
  producer(options?: ProducerOptions): Producer;
  producer<K = TextOrBytes, V = TextOrBytes>(options: ProducerOptions<K, V>): Producer<K, V>;
  producer(options: ProducerOptions = {}): Producer {
    return this.#track(new Producer(this.#ready(), options));
  }

  /**
   * Makes a consumer; `subscribe` or `assign` comes next. Types of keys and values come from the deserializers.
   *
   * @throws ClientError `INVALID_CONFIG` naming the option, `CLOSED` after `close`
   */
  consumer(options?: ConsumerOptions): Consumer;
  consumer<K = Uint8Array, V = Uint8Array>(options: ConsumerOptions<K, V>): Consumer<K, V>;
  consumer(options: ConsumerOptions = {}): Consumer {
    return this.#track(new Consumer(this.#ready(), options));
  }

  /** Makes an administrator. Its operations are tried for `timeoutMs`, 30,000 by default. */
  admin(options: AdminOptions = {}): Admin {
    return new Admin(this.#ready(), options);
  }

  /** Calls `listener` at each such event, of whatever it made too, until the returned function is called. */
  on<N extends keyof ClientEvents>(name: N, listener: (event: ClientEvents[N]) => void): () => void {
    return this.#cluster.events.on(name, listener);
  }

  /** Connections and requests since the start, those of its producers and consumers included. */
  metrics(): ClientMetrics {
    return this.#cluster.stats.snapshot();
  }

  /**
   * Closes what it made, producers flushed and consumers committed, then the connections. `timeoutMs` bounds that, also
   * where a part is being closed already; without it each part takes its own time (a producer its `deliveryTimeoutMs`, a
   * consumer 10,000 ms).
   */
  async close(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    const { runtime } = this.#cluster;
    const { timeoutMs } = options;
    const closing = Promise.all([...this.#open].map((each) => each.close(options)));
    try {
      if (timeoutMs === undefined) await closing;
      else await atMostUntil(runtime, runtime.clock.monotonicMs() + timeoutMs, closing);
    } finally {
      this.#open.clear();
      this.#cluster.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ready(): Cluster {
    if (this.#cluster.closed) throw closedError('client');
    return this.#cluster;
  }

  #track<T extends Closable>(made: T): T {
    for (const each of this.#open) if (each.closed) this.#open.delete(each);
    this.#open.add(made);
    return made;
  }
}

function addressesOf(bootstrap: string | readonly string[]): string[] {
  const list = (typeof bootstrap === 'string' ? bootstrap.split(',') : bootstrap)
    .map((address) => address.trim())
    .filter((address) => address !== '');
  return list.map((address) => {
    const url = URL.canParse(address) ? new URL(address) : undefined;
    if (url?.protocol !== 'ws:' && url?.protocol !== 'wss:') {
      throw new ClientError('INVALID_CONFIG', `bootstrap: ${JSON.stringify(address)} is not ws://host:port`);
    }
    return `${url.protocol}//${url.host}`;
  });
}
