/** Open files, shared by path and closed when too many are idle. Hundreds of partitions need not hold a file each. */

import type { Disk, DiskFile } from '../platform/ports.ts';

interface PooledFile {
  readonly file: Promise<DiskFile>;
  users: number;
  forgotten: boolean;
}

export class FilePool {
  readonly #disk: Disk;
  readonly #openFilesMax: number;
  /** In order of last use, the longest idle first. */
  readonly #files = new Map<string, PooledFile>();
  /** Told of a file that could not be closed. */
  readonly #onError: (error: unknown) => void;

  constructor(disk: Disk, openFilesMax: number, onError: (error: unknown) => void) {
    this.#disk = disk;
    this.#openFilesMax = openFilesMax;
    this.#onError = onError;
  }

  /** Opens `path` unless it is open, and keeps it open until `act` is done. */
  async use<T>(path: string, create: boolean, act: (file: DiskFile) => Promise<T>): Promise<T> {
    const pooled = this.#files.get(path) ?? this.#open(path, create);
    this.#files.delete(path);
    this.#files.set(path, pooled);
    pooled.users += 1;
    try {
      return await act(await pooled.file);
    } finally {
      pooled.users -= 1;
      if (pooled.forgotten) this.#closeIdle(pooled);
      else if (this.#files.size > this.#openFilesMax) this.#evict();
    }
  }

  /** Lets go of the files whose path begins with `prefix`; each is closed once nobody uses it. */
  forget(prefix: string): void {
    for (const [path, pooled] of this.#files) {
      if (path.startsWith(prefix)) this.#forget(path, pooled);
    }
  }

  /** Closes everything. Nothing may be in use. */
  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map(async ({ file }) => (await file).close()));
  }

  #open(path: string, create: boolean): PooledFile {
    const pooled: PooledFile = { file: this.#disk.open(path, { create }), users: 0, forgotten: false };
    pooled.file.catch(() => {
      if (this.#files.get(path) === pooled) this.#files.delete(path);
    });
    return pooled;
  }

  #evict(): void {
    for (const [path, pooled] of this.#files) {
      if (this.#files.size <= this.#openFilesMax) return;
      if (pooled.users === 0) this.#forget(path, pooled);
    }
  }

  #forget(path: string, pooled: PooledFile): void {
    this.#files.delete(path);
    pooled.forgotten = true;
    this.#closeIdle(pooled);
  }

  #closeIdle(pooled: PooledFile): void {
    if (pooled.users > 0) return;
    pooled.file.then(
      (file) => file.close().catch(this.#onError),
      () => {}, // it never opened; whoever wanted it was told
    );
  }
}
