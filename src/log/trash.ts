/** Where removed partitions go: out of the way at once, deleted later, so that a mistake can be undone by hand. */

import type { Disk, Timer, Timers } from '../platform/ports.ts';

export class Trash {
  readonly #disk: Disk;
  readonly #timers: Timers;
  readonly #dir: string;
  readonly #folder: string;
  readonly #delayMs: number;
  readonly #onError: (error: unknown) => void;
  readonly #pending = new Set<Timer>();
  #count = 0;

  constructor(disk: Disk, timers: Timers, dir: string, delayMs: number, onError: (error: unknown) => void) {
    this.#disk = disk;
    this.#timers = timers;
    this.#dir = dir;
    this.#folder = `${dir}/.trash`;
    this.#delayMs = delayMs;
    this.#onError = onError;
  }

  /** Schedules what earlier runs left here. */
  async resume(): Promise<void> {
    for (const name of await this.#disk.readDir(this.#folder)) this.#deleteLater(`${this.#folder}/${name}`);
  }

  /** Moves a folder of the directory here, durably. A missing one is fine. */
  async take(folder: string): Promise<void> {
    if (!(await this.#disk.exists(folder))) return;
    const path = await this.#freeName(folder.slice(folder.lastIndexOf('/') + 1));
    await this.#disk.rename(folder, path);
    await this.#disk.syncDir(this.#folder);
    await this.#disk.syncDir(this.#dir);
    this.#deleteLater(path);
  }

  close(): void {
    for (const timer of this.#pending) this.#timers.clear(timer);
    this.#pending.clear();
  }

  async #freeName(name: string): Promise<string> {
    for (;;) {
      this.#count += 1;
      const path = `${this.#folder}/${name}.${this.#count}`;
      if (!(await this.#disk.exists(path))) return path;
    }
  }

  #deleteLater(path: string): void {
    const timer = this.#timers.set(this.#delayMs, () => {
      this.#pending.delete(timer);
      this.#disk.remove(path).catch(this.#onError);
    });
    this.#pending.add(timer);
  }
}
