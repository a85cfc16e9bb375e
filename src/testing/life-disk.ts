import type { Disk, DiskFile } from '../platform/ports.ts';

/**
 * The disk as one life of a node sees it. What a node that was ended had begun is finished (the kernel would do so), but
 * the node does not hear of it; and no file stays open behind it.
 */
export class LifeDisk implements Disk {
  readonly #disk: Disk;
  readonly #enter: (fn: () => void) => void;
  readonly #open = new Set<DiskFile>();
  readonly #underWay = new Set<Promise<unknown>>();
  #isOver = false;

  /** `enter` runs what a node does next once that may run. */
  constructor(disk: Disk, enter: (fn: () => void) => void) {
    this.#disk = disk;
    this.#enter = enter;
  }

  /** Nothing is begun from now on; resolves once what is under way is done and every file is closed. */
  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.allSettled(this.#underWay);
    await Promise.all([...this.#open].map((file) => file.close()));
    this.#open.clear();
  }

  open(path: string, options?: { readonly create?: boolean }): Promise<DiskFile> {
    return this.#run(async () => {
      const file = await this.#disk.open(path, options);
      this.#open.add(file);
      return this.#wrap(file);
    });
  }

  mkdir(path: string): Promise<void> {
    return this.#run(() => this.#disk.mkdir(path));
  }

  readDir(path: string): Promise<string[]> {
    return this.#run(() => this.#disk.readDir(path));
  }

  exists(path: string): Promise<boolean> {
    return this.#run(() => this.#disk.exists(path));
  }

  rename(from: string, to: string): Promise<void> {
    return this.#run(() => this.#disk.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#run(() => this.#disk.remove(path));
  }

  syncDir(path: string): Promise<void> {
    return this.#run(() => this.#disk.syncDir(path));
  }

  bootId(): Promise<string> {
    return this.#run(() => this.#disk.bootId());
  }

  #wrap(file: DiskFile): DiskFile {
    return {
      read: (position, length) => this.#run(() => file.read(position, length)),
      write: (position, parts) => this.#run(() => file.write(position, parts)),
      sync: () => this.#run(() => file.sync()),
      truncate: (length) => this.#run(() => file.truncate(length)),
      size: () => this.#run(() => file.size()),
      close: () =>
        this.#run(() => {
          this.#open.delete(file);
          return file.close();
        }),
    };
  }

  #run<T>(operation: () => Promise<T>): Promise<T> {
    // The node will not live to see it.
    if (this.#isOver) return new Promise(() => {});
    const done = operation();
    this.#underWay.add(done);
    return new Promise<T>((resolve, reject) => {
      done.then(
        (result) => {
          this.#underWay.delete(done);
          this.#enter(() => resolve(result));
        },
        (error) => {
          this.#underWay.delete(done);
          this.#enter(() => reject(error));
        },
      );
    });
  }
}
