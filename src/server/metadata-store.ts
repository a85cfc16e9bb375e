import { MetadataImage } from '../metadata/image.ts';
import { decodeRecords } from '../metadata/records.ts';
import { decodeSnapshot, encodeSnapshot } from '../metadata/snapshot.ts';

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
  #image = MetadataImage.EMPTY;
  readonly #listeners: ImageListener[] = [];

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
      image = image.apply(payload.length === 0 ? [] : decodeRecords(payload), index);
    }
    this.#publish(image);
  }

  snapshot(): Uint8Array[] {
    return encodeSnapshot(this.#image);
  }

  restore(index: number, bytes: Uint8Array): void {
    this.#publish(bytes.length === 0 ? MetadataImage.EMPTY : decodeSnapshot(bytes, index));
  }

  #publish(after: MetadataImage): void {
    const before = this.#image;
    this.#image = after;
    for (const listener of this.#listeners) listener(before, after);
  }
}
