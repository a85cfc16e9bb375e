import type { MetadataImage } from '../../src/metadata/image.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import type { Invariant } from './invariant.ts';
import { InvariantViolation } from './violation.ts';

/** The catalogue level never goes back, and never beyond what each node that was ever started can read. */
export class LevelWatch implements Invariant {
  readonly #reads = new Map<number, number>();

  attach({ id }: ClusterNode, { config }: OdradekNode): void {
    this.#reads.set(id, config.catalogueVersion);
  }

  onCommitted(before: MetadataImage, { catalogueLevel: level }: MetadataImage): void {
    if (level < before.catalogueLevel)
      throw new InvariantViolation('catalogue level goes back', `from ${before.catalogueLevel} to ${level}`);
    for (const [id, reads] of this.#reads) {
      if (reads < level)
        throw new InvariantViolation('catalogue level beyond a node', `${level}, node ${id} reads ${reads}`);
    }
  }
}
