import { MetadataImage } from '../metadata/image.ts';
import { catalogueLevelIn, decodeRecords } from '../metadata/records.ts';
import { decodeSnapshot, encodeSnapshot, snapshotLevel } from '../metadata/snapshot.ts';
import { tooOld } from '../raft/errors.ts';

/** Called after each change; both images are immutable. */
export type ImageListener = (before: MetadataImage, after: MetadataImage) => void;

interface Entry {
  readonly index: number;
  readonly payload: Uint8Array;
}

/**
 * The state machine behind the metadata log: folds committed entries into the image and tells its listeners, in the
 * order in which they subscribed.
 */
export class MetadataStore {
  readonly #catalogueVersion: number;
  #image = MetadataImage.EMPTY;
  readonly #listeners: ImageListener[] = [];

  /** @param catalogueVersion What this node may read: it stops before anything of a newer level. */
  constructor(catalogueVersion: number) {
    this.#catalogueVersion = catalogueVersion;
  }

  get image(): MetadataImage {
    return this.#image;
  }

  subscribe(listener: ImageListener): void {
    this.#listeners.push(listener);
  }

  /** Applies committed entries in order; an empty payload is the no-op that opens an epoch. */
  apply(entries: readonly Entry[]): void {
    let image = this.#image;
    for (const { index, payload } of entries) {
      image = image.apply(decodeRecords(payload), index);
      this.#mustRead(image.catalogueLevel);
    }
    this.#publish(image);
  }

  catalogueLevel(): number {
    return this.#image.catalogueLevel;
  }

  /** Entries that may be committed one day. @throws RaftError CATALOGUE_TOO_OLD where they hold what this node may not read */
  check(entries: readonly Entry[]): void {
    for (const { payload } of entries) this.#mustRead(catalogueLevelIn(decodeRecords(payload)));
  }

  snapshot(): Uint8Array[] {
    return encodeSnapshot(this.#image);
  }

  restore(index: number, bytes: Uint8Array): void {
    this.#mustRead(bytes.length === 0 ? undefined : snapshotLevel(bytes));
    this.#publish(bytes.length === 0 ? MetadataImage.EMPTY : decodeSnapshot(bytes, index));
  }

  #mustRead(level: number | undefined): void {
    if (level !== undefined && level > this.#catalogueVersion) throw tooOld(this.#catalogueVersion);
  }

  #publish(after: MetadataImage): void {
    const before = this.#image;
    this.#image = after;
    for (const listener of this.#listeners) listener(before, after);
  }
}
