import type { Logger } from '../platform/ports.ts';

/** How many reasons are remembered as told. */
const TOLD_MAX = 100;

/** Tells of each peer that is refused once: whoever is configured wrongly asks many times a second. */
export class RefusedPeers {
  readonly #logger: Logger;
  readonly #told = new Set<string>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  foreign(clusterId: string | undefined, foreignClusterId: string): void {
    this.#tell(foreignClusterId, { clusterId, foreignClusterId }, 'A node of another cluster was refused');
  }

  tooOld(peerId: number, catalogueVersion: number, catalogueLevel: number): void {
    const fields = { peerId, catalogueVersion, catalogueLevel };
    const message = 'A node that reads too old a version of the catalogue was refused';
    this.#tell(`${peerId} ${catalogueVersion}`, fields, message);
  }

  #tell(key: string, fields: object, message: string): void {
    if (this.#told.has(key) || this.#told.size >= TOLD_MAX) return;
    this.#told.add(key);
    this.#logger.warn(fields, message);
  }
}
