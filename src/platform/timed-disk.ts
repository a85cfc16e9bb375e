import { PROCESS_METRICS } from './metrics.ts';
import type { Disk, DiskFile, Histogram, Meter } from './ports.ts';

/** The same disk, with the time of each fdatasync observed. `log` tells for which of a node's two logs it is used. */
export function timedDisk(disk: Disk, meter: Meter | undefined, log: 'partitions' | 'metadata'): Disk {
  if (!meter) return disk;
  const seconds = meter.histogram(PROCESS_METRICS.sync, log);
  return {
    open: async (path, options) => new TimedFile(await disk.open(path, options), meter, seconds),
    mkdir: (path) => disk.mkdir(path),
    readDir: (path) => disk.readDir(path),
    exists: (path) => disk.exists(path),
    rename: (from, to) => disk.rename(from, to),
    remove: (path) => disk.remove(path),
    syncDir: (path) => disk.syncDir(path),
    bootId: () => disk.bootId(),
  };
}

class TimedFile implements DiskFile {
  readonly #file: DiskFile;
  readonly #meter: Meter;
  readonly #seconds: Histogram;

  constructor(file: DiskFile, meter: Meter, seconds: Histogram) {
    this.#file = file;
    this.#meter = meter;
    this.#seconds = seconds;
  }

  async sync(): Promise<void> {
    const startedAt = this.#meter.now();
    await this.#file.sync();
    this.#seconds.observe(this.#meter.now() - startedAt);
  }

  read(position: number, length: number): Promise<Uint8Array> {
    return this.#file.read(position, length);
  }

  write(position: number, parts: readonly Uint8Array[]): Promise<void> {
    return this.#file.write(position, parts);
  }

  truncate(length: number): Promise<void> {
    return this.#file.truncate(length);
  }

  size(): Promise<number> {
    return this.#file.size();
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
