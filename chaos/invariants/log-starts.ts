import type { PartitionLog } from '../../src/log/partition-log.ts';
import { deltaOf } from '../../src/metadata/delta.ts';
import type { MetadataImage, TopicImage } from '../../src/metadata/image.ts';
import type { Partition } from '../../src/replication/partition.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import type { Invariant } from './invariant.ts';
import { InvariantViolation } from './violation.ts';

/** Longer than any run, clocks that jump included. */
const FOREVER_MS = 24 * 3_600_000;

/** The start of a partition's log moved on one node, as its topic asks. */
export interface StartMoved {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly highWatermark: number;
}

/** Logs lose their oldest records only where the topic says so, or once said so. */
export class LogStarts implements Invariant {
  readonly #image: () => MetadataImage;
  readonly #onMoved: (moved: StartMoved) => void;
  /** Topics that had a limit at any time: who lags behind with its metadata may still go by it. */
  readonly #limited = new Set<string>();
  /** Of each log as it was opened. */
  readonly #starts = new WeakMap<object, number>();

  constructor(image: () => MetadataImage, onMoved: (moved: StartMoved) => void) {
    this.#image = image;
    this.#onMoved = onMoved;
  }

  onCommitted(before: MetadataImage, after: MetadataImage): void {
    for (const topic of deltaOf(before, after).topicsChanged)
      if (hasLimit(topic)) this.#limited.add(topic.id);
  }

  onReplicaChanged({ id: nodeId }: ClusterNode, _node: OdradekNode, _: Partition, log: PartitionLog): void {
    const { topicId, partition, logStartOffset: offset, highWatermark } = log;
    const before = this.#starts.get(log) ?? 0;
    // What is left of a damaged log may end before the start that was noted: nobody reads it.
    if (offset === before || log.failed) return;
    this.#starts.set(log, offset);
    const topic = this.#image().topics.get(topicId);
    // A log that was lost, or had to start over at its leader's start, begins earlier again.
    if (!topic || offset < before) return;
    if (!this.#limited.has(topicId))
      throw new InvariantViolation(
        'records deleted that are to be kept',
        `${topic.name}-${partition}, node ${nodeId}: the log begins at ${offset}`,
      );
    this.#onMoved({ topic: topic.name, partition, offset, highWatermark });
  }
}

function hasLimit({ config }: TopicImage): boolean {
  return config.retentionBytes >= 0 || (config.retentionMs >= 0 && config.retentionMs < FOREVER_MS);
}
