/**
 * The level of the cluster: the version of the catalogue that every node can read, and so what may be written. It rises
 * with the last node that is upgraded, and never goes back (compare KIP-584). What each node can read is soft state: it
 * tells with its registration and with each heartbeat.
 */

import type { MetadataImage } from '../metadata/image.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { Draft } from './draft.ts';

export class CatalogueLevels {
  readonly #voterIds: () => readonly number[];
  /** By node, as it told this controller. */
  readonly #versions = new Map<number, number>();

  constructor(voterIds: () => readonly number[]) {
    this.#voterIds = voterIds;
  }

  /** A broker told what it can read. @throws KafkaError UNSUPPORTED_VERSION where that is too little by now */
  hear(image: MetadataImage, brokerId: number, version: number): void {
    const { catalogueLevel: level } = image;
    if (version < level) {
      const message =
        `broker ${brokerId} reads version ${version} of the catalogue at most, and this cluster has reached level ${level}; ` +
        'upgrade it, or raise catalogueVersion in its config';
      throw new KafkaError('UNSUPPORTED_VERSION', message);
    }
    this.#versions.set(brokerId, version);
  }

  /** Raises the level to what all can read by now. */
  raise(draft: Draft): void {
    const { catalogueLevel: before } = draft.image;
    // Each heartbeat asks, and nearly always nobody reads more than what is written.
    if (Math.max(...this.#versions.values()) <= before) return;
    const level = Math.min(...this.#nodes(draft.image).map((id) => this.#versions.get(id) ?? before));
    if (level <= before) return;
    draft.push({ type: 'CatalogueLevel', level });
    draft.note({ level, before }, 'Raised the catalogue level: every node can read it');
  }

  /** The nodes that the next level waits for; none where nobody told of a newer version. */
  heldBackBy(image: MetadataImage): number[] {
    const { catalogueLevel } = image;
    const isAhead = (id: number) => (this.#versions.get(id) ?? catalogueLevel) > catalogueLevel;
    const nodes = this.#nodes(image);
    return nodes.some(isAhead) ? nodes.filter((id) => !isAhead(id)) : [];
  }

  /** A voter may not be registered as a broker (yet). */
  #nodes(image: MetadataImage): number[] {
    return [...new Set([...image.brokers.keys(), ...this.#voterIds()])].sort((a, b) => a - b);
  }
}
