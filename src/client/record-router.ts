/**
 * Brings records to their partitions. A record whose topic, or whose partition, is not known yet waits for it here, at
 * most `maxBlockMs`; those for other partitions pass by.
 */

import { asError } from '../platform/as-error.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { Cluster } from './cluster.ts';
import { ClientError } from './errors.ts';
import type { TopicMetadata } from './metadata-cache.ts';
import { partitionOfKey } from './murmur2.ts';
import { type Partitioner, StickyPartition, type StickyView } from './partitioning.ts';
import type { Entry } from './waiting-line.ts';

/** Where records go from here. */
export interface RouterSink<K, V> {
  append(topic: string, partition: number, entry: Entry<K, V>): void;
  drop(entries: readonly Entry<K, V>[], error: Error): void;
  /** What the sticky choice is to know of a topic. */
  batchBytes(topic: string): number;
  backlog(topic: string, partition: number): number;
}

interface Route<K, V> {
  readonly topic: string;
  /** Those that wait for the topic. */
  pending: Entry<K, V>[];
  /** Those that wait for a partition beyond the last. */
  readonly byPartition: Map<number, Entry<K, V>[]>;
  readonly sticky: StickyPartition;
  readonly view: StickyView;
}

export class RecordRouter<K, V> {
  readonly #cluster: Cluster;
  readonly #partitioner: Partitioner<K, V> | undefined;
  readonly #maxBlockMs: number;
  readonly #sink: RouterSink<K, V>;
  readonly #routes = new Map<string, Route<K, V>>();

  constructor(
    cluster: Cluster,
    partitioner: Partitioner<K, V> | undefined,
    maxBlockMs: number,
    sink: RouterSink<K, V>,
  ) {
    this.#cluster = cluster;
    this.#partitioner = partitioner;
    this.#maxBlockMs = maxBlockMs;
    this.#sink = sink;
  }

  route(entry: Entry<K, V>): void {
    const route = this.#routeOf(entry.source.topic);
    const topic = route.pending.length === 0 ? this.#cluster.metadata.topic(route.topic) : undefined;
    if (topic !== undefined) {
      this.#place(topic, route, entry);
      return;
    }
    route.pending.push(entry);
    if (route.pending.length === 1) void this.#awaitTopic(route);
  }

  /** The running number of the oldest record that waits here; infinite when none does. */
  oldestRecordNumber(): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { pending, byPartition } of this.#routes.values()) {
      oldest = Math.min(oldest, pending[0]?.number ?? oldest);
      for (const [first] of byPartition.values()) oldest = Math.min(oldest, first?.number ?? oldest);
    }
    return oldest;
  }

  /** Everybody goes home; returns who waited. */
  clear(): Entry<K, V>[] {
    return [...this.#routes.values()].flatMap(({ pending, byPartition }) => {
      const waited = [...pending.splice(0), ...[...byPartition.values()].flat()];
      byPartition.clear();
      return waited;
    });
  }

  #routeOf(topic: string): Route<K, V> {
    let route = this.#routes.get(topic);
    if (route === undefined) {
      const sink = this.#sink;
      const view: StickyView = {
        random: this.#cluster.runtime.random,
        get batchBytes() {
          return sink.batchBytes(topic);
        },
        backlog: (partition) => sink.backlog(topic, partition),
      };
      route = { topic, pending: [], byPartition: new Map(), sticky: new StickyPartition(), view };
      this.#routes.set(topic, route);
      this.#cluster.addInterest(topic);
    }
    return route;
  }

  async #awaitTopic(route: Route<K, V>): Promise<void> {
    try {
      const topic = await this.#cluster.topic(route.topic, this.#deadline());
      for (const entry of route.pending.splice(0)) this.#place(topic, route, entry);
    } catch (error) {
      this.#sink.drop(route.pending.splice(0), expected(error));
    }
  }

  #place(topic: TopicMetadata, route: Route<K, V>, entry: Entry<K, V>): void {
    let partition: number;
    try {
      partition = entry.source.partition ?? this.#choose(topic, route, entry);
    } catch (cause) {
      const message = `the partitioner failed on a record for ${topic.name}: ${asError(cause).message}`;
      this.#sink.drop([entry], new ClientError('INVALID_RECORD', message, { cause }));
      return;
    }
    // Behind those that wait, if any still do: records of one partition keep their order.
    if (route.byPartition.has(partition)) this.#await(route, partition, entry);
    else if (topic.partitions[partition] !== undefined) this.#sink.append(topic.name, partition, entry);
    else if (Number.isInteger(partition) && partition >= 0) this.#await(route, partition, entry);
    else this.#sink.drop([entry], new ClientError('INVALID_RECORD', `${partition} is no partition`));
  }

  #choose(topic: TopicMetadata, { sticky, view }: Route<K, V>, entry: Entry<K, V>): number {
    const { source, record, bufferBytes } = entry;
    const partitionCount = topic.partitions.length;
    if (this.#partitioner !== undefined) {
      const chosen = this.#partitioner({
        record: source,
        keyBytes: record.key,
        partitionCount,
        hasLeader: (partition) => topic.partitions[partition]?.leaderId !== undefined,
      });
      if (chosen !== undefined) return chosen;
    }
    if (record.key !== null) return partitionOfKey(record.key, partitionCount);
    return sticky.choose(topic, bufferBytes, view);
  }

  /** A partition that is not known may have been added a moment ago. */
  #await(route: Route<K, V>, partition: number, entry: Entry<K, V>): void {
    const waiting = route.byPartition.get(partition);
    if (waiting !== undefined) {
      waiting.push(entry);
      return;
    }
    const entries = [entry];
    route.byPartition.set(partition, entries);
    this.#cluster.topicWithPartition(route.topic, partition, this.#deadline()).then(
      () => {
        if (route.byPartition.get(partition) !== entries) return;
        route.byPartition.delete(partition);
        for (const each of entries) this.#sink.append(route.topic, partition, each);
      },
      (error: unknown) => {
        if (route.byPartition.get(partition) !== entries) return;
        route.byPartition.delete(partition);
        this.#sink.drop(entries, expected(error));
      },
    );
  }

  #deadline(): number {
    return this.#cluster.runtime.clock.monotonicMs() + this.#maxBlockMs;
  }
}

function expected(error: unknown): Error {
  if (error instanceof KafkaError || error instanceof ClientError) return error;
  return new ClientError('DELIVERY_FAILED', asError(error).message, { cause: error });
}
