/** Where a record without a key, or without a partition of its own, goes. */

import type { Random } from '../platform/ports.ts';
import type { TopicMetadata } from './metadata-cache.ts';
import type { ProducerRecord } from './producer-options.ts';
import type { TextOrBytes } from './serde.ts';

/** What a partitioner decides by. */
export interface PartitionerInput<K, V> {
  readonly record: ProducerRecord<K, V>;
  /** The key as it is written; null without one. */
  readonly keyBytes: Uint8Array | null;
  /** Of the topic, now. */
  readonly partitionCount: number;
  /** Whether the partition has a leader now: a record for another one waits. */
  hasLeader(partition: number): boolean;
}

/**
 * Chooses a partition, 0 to `partitionCount` - 1; undefined leaves it to the default: the hash of the key as in Java
 * (murmur2), and without a key one partition for a batch's worth of records, then another (KIP-480, KIP-794).
 */
export type Partitioner<K, V> = (input: PartitionerInput<K, V>) => number | undefined;

/** A partitioner that takes partitions in turn, whatever the key, those without a leader left out. */
export function roundRobin<K = TextOrBytes, V = TextOrBytes>(): Partitioner<K, V> {
  const turns = new Map<string, number>();
  return ({ record: { topic }, partitionCount, hasLeader }) => {
    const turn = turns.get(topic) ?? 0;
    for (let i = 0; i < partitionCount; i++) {
      const partition = (turn + i) % partitionCount;
      if (!hasLeader(partition)) continue;
      turns.set(topic, partition + 1);
      return partition;
    }
    return turn % partitionCount;
  };
}

/** What the sticky choice looks at beyond the topic. */
export interface StickyView {
  readonly random: Random;
  /** A batch's worth: after that many bytes comes another partition. */
  readonly batchBytes: number;
  /** How many batches of a partition are on their way. */
  backlog(partition: number): number;
}

/**
 * Stays with one partition for a batch's worth of bytes, so that batches fill, and then draws another at random, one
 * with a short queue more likely: a slow broker gets less (KIP-794). Partitions without a leader are left out.
 */
export class StickyPartition {
  #partition = -1;
  #bytes = 0;

  choose({ partitions }: TopicMetadata, recordBytes: number, view: StickyView): number {
    if (this.#bytes >= view.batchBytes || partitions[this.#partition]?.leaderId === undefined) {
      this.#partition = draw(partitions, view);
      this.#bytes = 0;
    }
    this.#bytes += recordBytes;
    return this.#partition;
  }
}

function draw(partitions: TopicMetadata['partitions'], { random, backlog }: StickyView): number {
  const led = partitions.filter(({ leaderId }) => leaderId !== undefined);
  const candidates = led.length > 0 ? led : partitions;
  const backlogs = candidates.map(({ partition }) => backlog(partition));
  const longest = Math.max(0, ...backlogs);
  let left = random.float() * backlogs.reduce((sum, each) => sum + longest + 1 - each, 0);
  for (const [i, each] of backlogs.entries()) {
    left -= longest + 1 - each;
    if (left < 0) return candidates[i]?.partition ?? 0;
  }
  return candidates.at(-1)?.partition ?? 0;
}
