import { decodeOffsets } from '../../src/log/checkpoint-format.ts';
import type { SimCluster } from '../cluster/sim-cluster.ts';

const NONE: ReadonlyMap<string, number> = new Map();

/** What the checkpoint of each node says of its logs since its last crash: what lies below is damaged if it is not there. */
export class RecoveryPoints {
  readonly #points = new Map<number, ReadonlyMap<string, number>>();

  constructor(cluster: SimCluster) {
    for (const { id, machine } of cluster.nodes) {
      const before = machine.onCrash;
      machine.onCrash = (kind) => {
        before?.(kind);
        const bytes = machine.disk.peek('data/log/offsets-checkpoint');
        const entries = bytes && decodeOffsets(bytes);
        const points = entries?.map(({ name, recoveryPoint }) => [name, recoveryPoint] as const);
        this.#points.set(id, points ? new Map(points) : NONE);
      };
    }
  }

  of(nodeId: number, name: string): number {
    return this.#points.get(nodeId)?.get(name) ?? 0;
  }
}
