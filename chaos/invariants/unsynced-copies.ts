import { deltaOf } from '../../src/metadata/delta.ts';
import type { MetadataImage, PartitionImage } from '../../src/metadata/image.ts';
import type { SimCluster } from '../cluster/sim-cluster.ts';
import type { Invariant } from './invariant.ts';

/**
 * What `flush=os` promises: an acknowledged record is in the page caches of all in-sync replicas, so it outlives any loss
 * of power that leaves one member of ISR or ELR running, or with its copy brought up to date since. This keeps count of
 * who still has everything. Once nobody has, and only then, records may be gone: the partition is forgiven.
 */
export class UnsyncedCopies implements Invariant {
  readonly #image: () => MetadataImage;
  /** By partition: those that hold everything that was acknowledged. */
  readonly #complete = new Map<string, Set<number>>();
  readonly #forgiven = new Set<string>();
  /** Lost power, and did not register again since: what they do is still that of the process before. */
  readonly #unregistered = new Set<number>();

  constructor(cluster: SimCluster, image: () => MetadataImage) {
    this.#image = image;
    for (const { id, machine } of cluster.nodes) {
      const before = machine.onCrash;
      machine.onCrash = (kind) => {
        before?.(kind);
        if (kind === 'power') this.#lostPower(id);
      };
    }
  }

  onCommitted(before: MetadataImage, after: MetadataImage): void {
    const { brokersChanged, topicsChanged } = deltaOf(before, after);
    for (const { id, epoch } of brokersChanged)
      if (epoch !== before.brokers.get(id)?.epoch) this.#unregistered.delete(id);
    for (const { config, partitions } of topicsChanged) {
      if (config.flush !== 'os') continue;
      for (const partition of partitions)
        this.#changed(before.partition(partition.topicId, partition.partition), partition);
    }
  }

  /** Whether acknowledged records of the partition may be gone. */
  isForgiven(topic: string, partition: number): boolean {
    const image = this.#image().topicByName(topic)?.partitions[partition];
    return image !== undefined && this.#forgiven.has(nameOf(image));
  }

  /** Whether this replica may lack what was acknowledged. */
  mayLack(name: string, nodeId: number): boolean {
    const complete = this.#complete.get(name);
    return complete !== undefined && (this.#forgiven.has(name) || !complete.has(nodeId));
  }

  /** Whether the node lost its power, and did not register again since. */
  lostPower(nodeId: number): boolean {
    return this.#unregistered.has(nodeId);
  }

  /** A replica found its copy damaged. */
  onLost(name: string, nodeId: number): void {
    const complete = this.#complete.get(name);
    if (complete?.delete(nodeId) && complete.size === 0) this.#forgiven.add(name);
  }

  #changed(before: PartitionImage | undefined, after: PartitionImage): void {
    const name = nameOf(after);
    const complete = this.#complete.get(name) ?? new Set<number>();
    this.#complete.set(name, complete);
    const was = new Set(before ? [...before.isr, ...before.elr] : []);
    const is = new Set([...after.isr, ...after.elr]);
    for (const id of complete) if (!is.has(id)) complete.delete(id);
    for (const id of is) if (!was.has(id) && !this.#unregistered.has(id)) complete.add(id);
    if (complete.size === 0) this.#forgiven.add(name);
  }

  #lostPower(nodeId: number): void {
    this.#unregistered.add(nodeId);
    for (const name of this.#complete.keys()) this.onLost(name, nodeId);
  }
}

const nameOf = ({ topicId, partition }: PartitionImage) => `${topicId}-${partition}`;
