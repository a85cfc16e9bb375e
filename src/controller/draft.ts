/**
 * A decision in the making: records over the speculative image, each applied at once, so that what follows in the same
 * entry sees it. A draft that is never proposed leaves no trace.
 */

import type { MetadataImage } from '../metadata/image.ts';
import type { MetadataRecord } from '../metadata/records.ts';

/** A sentence for the log, once the decision is proposed. */
export interface Note {
  readonly fields: object;
  readonly message: string;
}

export class Draft {
  readonly base: MetadataImage;
  /** The base with all records so far, as though they were the next entry. */
  image: MetadataImage;
  readonly records: MetadataRecord[] = [];
  readonly notes: Note[] = [];

  constructor(base: MetadataImage) {
    this.base = base;
    this.image = base;
  }

  /** Adds records. */
  push(...records: readonly MetadataRecord[]): void {
    this.pushAll(records);
  }

  pushAll(records: readonly MetadataRecord[]): void {
    if (records.length === 0) return;
    for (const record of records) this.records.push(record);
    this.image = withRecords(this.image, records, this.base.index + 1);
  }

  note(fields: object, message: string): void {
    this.notes.push({ fields, message });
  }
}

/** All records of a draft belong to one entry, so to one index, however many times something is added. */
function withRecords(image: MetadataImage, records: readonly MetadataRecord[], index: number): MetadataImage {
  return image.at(index - 1).apply(records, index);
}

/** What to append, and the answer once it is committed; `index` is that of the entry. */
export interface Decision<Response> {
  readonly draft: Draft;
  readonly reply: (index: number) => Response;
  /** Called once the records are appended, if they could be. */
  readonly onAppended?: () => void;
  /** Answer at once, without waiting for what others appended before (nothing of it matters to the answer). */
  readonly immediate?: boolean;
}
