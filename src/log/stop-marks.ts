/**
 * Files by which one process tells the next how the last stop was, and whether the controller knows:
 *
 *     <dir>/.clean   there only between a clean stop and the next start
 *     <dir>/.boot    the boot of the machine that the logs were last open in
 *     <dir>/.loss    there from a start that may have lost something until the controller knows of it
 */

import type { Disk } from '../platform/ports.ts';
import { readIfExists, writeAtomically, writeReplacing } from './file-helpers.ts';

const CLEAN_FILE = '.clean';
const BOOT_FILE = '.boot';
const LOSS_FILE = '.loss';
const NOTHING = new Uint8Array(0);

export class StopMarks {
  readonly #disk: Disk;
  readonly #dir: string;
  readonly #bootId: string;
  readonly #lastBootId: string | undefined;
  /** The last stop was in order: every log is as it was left. */
  readonly isClean: boolean;
  /** Some earlier process found that what was not synced may be gone, and ended before the controller knew. */
  readonly #isUntold: boolean;

  private constructor(
    disk: Disk,
    dir: string,
    names: readonly string[],
    bootId: string,
    lastBootId: string | undefined,
  ) {
    this.#disk = disk;
    this.#dir = dir;
    this.#bootId = bootId;
    this.#lastBootId = lastBootId;
    this.isClean = names.includes(CLEAN_FILE);
    this.#isUntold = names.includes(LOSS_FILE);
  }

  /** Reads the marks and makes them those of an open folder. Nothing may have been changed in it before. */
  static async take(disk: Disk, dir: string, names: readonly string[]): Promise<StopMarks> {
    const bootId = await disk.bootId();
    const lastBoot = await readIfExists(disk, `${dir}/${BOOT_FILE}`);
    const marks = new StopMarks(disk, dir, names, bootId, lastBoot && new TextDecoder().decode(lastBoot));
    // Before any mark changes by which a later start could take itself for one without loss.
    if (!marks.nothingLost && !marks.#isUntold) await writeAtomically(disk, dir, LOSS_FILE, NOTHING);
    if (marks.isClean) {
      // Gone for good before anything changes: else a crash from now on would pass for a clean stop.
      await disk.remove(`${dir}/${CLEAN_FILE}`);
      await disk.syncDir(dir);
    }
    return marks;
  }

  /** Nothing that was acknowledged, even without a sync, can be gone, or the controller knows already that it may be. */
  get nothingLost(): boolean {
    return !this.#isUntold && (this.isClean || !this.pageCacheLost);
  }

  get pageCacheLost(): boolean {
    return this.#lastBootId !== this.#bootId;
  }

  /** Nobody can tell what is in the page cache only: no boot was noted, as after a disk that failed. */
  get isUnknown(): boolean {
    return this.#lastBootId === undefined && !this.isClean;
  }

  /** The logs are recovered. To be called before the first append. */
  async opened(): Promise<void> {
    if (!this.pageCacheLost) return;
    await writeAtomically(this.#disk, this.#dir, BOOT_FILE, new TextEncoder().encode(this.#bootId));
  }

  /** The controller knows, for good, whether anything may have been lost. */
  async told(): Promise<void> {
    if (this.nothingLost) return;
    await this.#disk.remove(`${this.#dir}/${LOSS_FILE}`);
    await this.#disk.syncDir(this.#dir);
  }

  /** Everything is synced and closed. */
  async closed(): Promise<void> {
    await writeReplacing(this.#disk, `${this.#dir}/${CLEAN_FILE}`, NOTHING, { sync: true });
    await this.#disk.syncDir(this.#dir);
  }

  /** The disk failed: what the page cache says it holds is not to be trusted. */
  failed(): Promise<void> {
    return this.#disk.remove(`${this.#dir}/${BOOT_FILE}`);
  }
}
