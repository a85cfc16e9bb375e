import { deltaOf } from '../../src/metadata/delta.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { Incarnation } from '../sim/node.ts';
import { ImageWatch } from './image-watch.ts';
import { QuorumWatch } from './quorum-watch.ts';
import { ReplicaWatch } from './replica-watch.ts';
import type { ClusterNode, SimCluster } from './sim-cluster.ts';

/**
 * Watches a whole cluster: after every event the invariants of the node that it happened to are checked, and a violation
 * ends the run. Checks are incremental: they look at what changed.
 */
export class ClusterWatch {
  readonly quorum: QuorumWatch;
  readonly images: ImageWatch;
  readonly replicas: ReplicaWatch;
  readonly #byName = new Map<string, ClusterNode>();
  /** A violation found inside a callback of the product, which might swallow it. */
  #violation: unknown;

  constructor(cluster: SimCluster) {
    this.images = new ImageWatch();
    this.replicas = new ReplicaWatch(() => this.images.image);
    this.quorum = new QuorumWatch(
      (entry) => this.#onCommitted(entry),
      (check) => this.guarded(check),
    );
    for (const member of cluster.nodes) this.#byName.set(member.machine.name, member);
    cluster.onOpened.push((member, node) => {
      this.quorum.attach(member, node);
      this.#watchRestores(member, node);
      this.replicas.attach(member, node);
    });
    cluster.world.onAfterEvent.push((happenedTo) => this.#check(happenedTo));
  }

  /** A check from a callback: kept, and thrown after the event. */
  guarded(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#violation ??= error;
    }
  }

  #watchRestores({ id }: ClusterNode, { store }: OdradekNode): void {
    const restore = store.restore.bind(store);
    store.restore = (index, bytes) => {
      this.guarded(() => this.images.onRestored(id, index, bytes));
      restore(index, bytes);
    };
  }

  #onCommitted(entry: { readonly index: number; readonly payload: Uint8Array }): void {
    const before = this.images.image;
    this.images.onCommitted(entry);
    for (const topic of deltaOf(before, this.images.image).topicsChanged)
      for (const partition of topic.partitions) this.replicas.onPartition(partition);
  }

  #check(happenedTo: Incarnation | undefined): void {
    if (this.#violation !== undefined) throw this.#violation;
    if (!happenedTo?.alive) return;
    const member = this.#byName.get(happenedTo.node.name);
    if (!member?.node || member.machine.incarnation !== happenedTo) return;
    this.quorum.check(member, member.node);
    this.replicas.check(member, member.node);
  }
}
