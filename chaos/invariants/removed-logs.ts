import type { MetadataImage } from '../../src/metadata/image.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import type { Invariant } from './invariant.ts';
import { InvariantViolation } from './violation.ts';

/** A node gives up a log only once the topic was removed, or the partition given to others, and that committed (NATS 7556). */
export class RemovedLogs implements Invariant {
  readonly #image: () => MetadataImage;
  readonly #guard: (check: () => void) => void;

  /** @param guard Runs a check inside the product's own calls, where a throw would not reach the test. */
  constructor(image: () => MetadataImage, guard: (check: () => void) => void) {
    this.#image = image;
    this.#guard = guard;
  }

  attach({ id }: ClusterNode, { logs }: OdradekNode): void {
    const remove = logs.remove.bind(logs);
    logs.remove = (topicId, partition) => {
      // A damaged log goes, too, to be fetched anew.
      const isDamaged = logs.get(topicId, partition)?.failed !== undefined;
      if (!isDamaged) this.#guard(() => this.#require(id, topicId, partition));
      return remove(topicId, partition);
    };
  }

  #require(nodeId: number, topicId: string, partition: number): void {
    const image = this.#image().partition(topicId, partition);
    if (!image?.replicas.includes(nodeId)) return;
    const what = `node ${nodeId}: ${topicId}-${partition}, whose replicas are ${image.replicas}`;
    throw new InvariantViolation('log removed without a committed removal', what);
  }
}
