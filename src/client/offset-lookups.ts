/** Offsets that a consumer's application asks for: committed ones, and those of a time. */

import type { Cluster } from './cluster.ts';
import type { PartitionOffset } from './consumer-options.ts';
import { ClientError } from './errors.ts';
import { keyOf, type TopicPartition } from './fetch-positions.ts';
import { fetchCommitted, listOffset } from './offset-resolver.ts';

/** The first record at or after a time. */
export interface OffsetAndTimestamp extends TopicPartition {
  readonly offset: number;
  /** Of that record, in milliseconds since the epoch. */
  readonly timestamp: number;
  /** The epoch of the leader that wrote it; -1 when unknown. */
  readonly leaderEpoch: number;
}

export class OffsetLookups {
  readonly #cluster: Cluster;
  readonly #group: string | undefined;

  constructor(cluster: Cluster, group: string | undefined) {
    this.#cluster = cluster;
    this.#group = group;
  }

  async committed(
    partitions: readonly TopicPartition[],
    deadlineMs: number,
    signal: AbortSignal | undefined,
  ): Promise<(PartitionOffset | undefined)[]> {
    const group = this.#group;
    if (group === undefined)
      throw new ClientError('INVALID_STATE', 'committed needs a consumer with a group');
    const ids: { readonly topicId: string; readonly partition: number }[] = [];
    const attempt = async () => {
      for (const { topic, partition } of partitions.slice(ids.length)) {
        ids.push({ topicId: (await this.#cluster.topic(topic, deadlineMs)).topicId, partition });
      }
      return fetchCommitted(this.#cluster, group, ids);
    };
    const found = await this.#cluster.retry(deadlineMs, attempt, signal);
    return partitions.map(({ topic, partition }, i) => {
      const offset = found.get(keyOf(ids[i]?.topicId ?? '', partition));
      return offset && { topic, partition, ...offset };
    });
  }

  async offsetsForTimes(
    partitions: readonly (TopicPartition & { readonly timestamp: number })[],
    deadlineMs: number,
    signal: AbortSignal | undefined,
  ): Promise<(OffsetAndTimestamp | undefined)[]> {
    for (const { timestamp } of partitions) {
      if (!Number.isSafeInteger(timestamp) || timestamp < 0)
        throw new ClientError('INVALID_STATE', `${timestamp} is not a time in milliseconds since the epoch`);
    }
    return Promise.all(
      partitions.map(({ topic, partition, timestamp }) =>
        this.#cluster.retry(
          deadlineMs,
          () => this.#offsetAt(topic, partition, timestamp, deadlineMs),
          signal,
        ),
      ),
    );
  }

  async #offsetAt(
    topic: string,
    partition: number,
    timestamp: number,
    deadlineMs: number,
  ): Promise<OffsetAndTimestamp | undefined> {
    const metadata = await this.#cluster.topicWithPartition(topic, partition, deadlineMs);
    const of = metadata.partitions[partition];
    if (of === undefined) return undefined;
    try {
      const listed = await listOffset(this.#cluster, topic, of, timestamp);
      return listed.offset < 0 ? undefined : { topic, partition, ...listed };
    } catch (error) {
      // Leaders move: the next attempt asks the one that is known then.
      this.#cluster.requestUpdate();
      throw error;
    }
  }
}
