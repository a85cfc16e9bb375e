/** The files in one partition's folder: names, and reads and writes through the Disk port. Decides nothing. */

import type { Disk } from '../platform/ports.ts';
import { decodeEpochs, decodeProducers, encodeEpochs } from './checkpoint-format.ts';
import { readIfExists, writeAtomically, writeReplacing } from './file-helpers.ts';
import type { FilePool } from './file-pool.ts';
import type { EpochStart } from './leader-epochs.ts';
import type { ProducerEntry } from './producer-states.ts';
import type { Segment } from './segment.ts';
import { SegmentIndex } from './segment-index.ts';

const EPOCHS_FILE = 'leader-epoch-checkpoint';
const OFFSET_DIGITS = 20;

export interface FolderListing {
  /** Base offsets of the segments, ascending. */
  readonly segments: number[];
  /** Offsets of the producer snapshots, ascending. */
  readonly snapshots: number[];
}

export class LogFiles {
  readonly folder: string;
  readonly #disk: Disk;
  readonly #pool: FilePool;

  constructor(disk: Disk, pool: FilePool, folder: string) {
    this.#disk = disk;
    this.#pool = pool;
    this.folder = folder;
  }

  /** What is there; removes files that a crash left half made. */
  async list(): Promise<FolderListing> {
    const names = await this.#disk.readDir(this.folder);
    await Promise.all(
      names
        .filter((name) => name.endsWith('.tmp'))
        .map((name) => this.#disk.remove(`${this.folder}/${name}`)),
    );
    return { segments: offsetsIn(names, '.log'), snapshots: offsetsIn(names, '.snapshot') };
  }

  syncFolder(): Promise<void> {
    return this.#disk.syncDir(this.folder);
  }

  /** Makes the folder's own name durable. */
  syncParent(): Promise<void> {
    return this.#disk.syncDir(this.folder.slice(0, this.folder.lastIndexOf('/')));
  }

  sizeOf(baseOffset: number): Promise<number> {
    return this.#pool.use(this.#path(baseOffset, '.log'), false, (file) => file.size());
  }

  read(baseOffset: number, position: number, length: number): Promise<Uint8Array> {
    return this.#pool.use(this.#path(baseOffset, '.log'), false, (file) => file.read(position, length));
  }

  write(baseOffset: number, position: number, parts: readonly Uint8Array[], sync: boolean): Promise<void> {
    return this.#pool.use(this.#path(baseOffset, '.log'), true, async (file) => {
      await file.write(position, parts);
      if (sync) await file.sync();
    });
  }

  sync(baseOffset: number): Promise<void> {
    return this.#pool.use(this.#path(baseOffset, '.log'), false, (file) => file.sync());
  }

  /** Cuts a segment and makes that durable. */
  truncate(baseOffset: number, length: number): Promise<void> {
    return this.#pool.use(this.#path(baseOffset, '.log'), true, async (file) => {
      if ((await file.size()) > length) await file.truncate(length);
      await file.sync();
    });
  }

  /** Removes a segment with its index. Reads under way finish on the file that they hold open. */
  async removeSegment(baseOffset: number): Promise<void> {
    const path = this.#path(baseOffset, '.log');
    this.#pool.forget(path);
    await this.#disk.remove(path);
    await this.removeIndex(baseOffset);
  }

  async removeIndex(baseOffset: number): Promise<void> {
    await this.#disk.remove(this.#path(baseOffset, '.index'));
    await this.#disk.remove(this.#path(baseOffset, '.timeindex'));
  }

  /** Both index files of a segment that is not appended to. Not synced: they are hints, and carry a checksum. */
  async writeIndex(baseOffset: number, index: SegmentIndex): Promise<void> {
    const [offsets, timestamps] = [index.encodeOffsets(), index.encodeTimestamps()];
    await writeReplacing(this.#disk, this.#path(baseOffset, '.index'), offsets, { sync: false });
    await writeReplacing(this.#disk, this.#path(baseOffset, '.timeindex'), timestamps, { sync: false });
  }

  /** The index of the segment as it is now; `undefined` if the files are missing, damaged or outdated. */
  async readIndex(segment: Segment, intervalBytes: number): Promise<SegmentIndex | undefined> {
    const { baseOffset, endOffset, sizeBytes } = segment;
    const [offsets, timestamps] = await Promise.all([
      readIfExists(this.#disk, this.#path(baseOffset, '.index')),
      readIfExists(this.#disk, this.#path(baseOffset, '.timeindex')),
    ]);
    if (offsets === undefined || timestamps === undefined) return undefined;
    return SegmentIndex.decode(offsets, timestamps, { baseOffset, endOffset, sizeBytes, intervalBytes });
  }

  /** Not synced: a torn one is found out by its checksum, and an older one or a longer scan does as well. */
  writeSnapshot(offset: number, bytes: Uint8Array): Promise<void> {
    return writeReplacing(this.#disk, this.#path(offset, '.snapshot'), bytes, { sync: false });
  }

  async readSnapshot(offset: number): Promise<ProducerEntry[] | undefined> {
    const bytes = await readIfExists(this.#disk, this.#path(offset, '.snapshot'));
    return bytes && decodeProducers(bytes);
  }

  removeSnapshot(offset: number): Promise<void> {
    return this.#disk.remove(this.#path(offset, '.snapshot'));
  }

  writeEpochs(entries: readonly EpochStart[]): Promise<void> {
    return writeAtomically(this.#disk, this.folder, EPOCHS_FILE, encodeEpochs(entries));
  }

  /** Empty if there is no file, `undefined` if it is damaged. */
  async readEpochs(): Promise<EpochStart[] | undefined> {
    const bytes = await readIfExists(this.#disk, `${this.folder}/${EPOCHS_FILE}`);
    return bytes === undefined ? [] : decodeEpochs(bytes);
  }

  /** Lets go of every open file. */
  forget(): void {
    this.#pool.forget(`${this.folder}/`);
  }

  #path(offset: number, suffix: string): string {
    return `${this.folder}/${String(offset).padStart(OFFSET_DIGITS, '0')}${suffix}`;
  }
}

function offsetsIn(names: readonly string[], suffix: string): number[] {
  return names
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
    .filter((digits) => digits.length === OFFSET_DIGITS && /^\d+$/.test(digits))
    .map(Number)
    .sort((a, b) => a - b);
}
