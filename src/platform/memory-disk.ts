import type { MemoryFile } from './memory-file.ts';
import { MemoryTree } from './memory-tree.ts';
import { type Disk, DiskError, type DiskFile } from './ports.ts';

/**
 * A disk in memory, for clusters that are thrown away. It tells synced bytes and names from others as a real disk does:
 * both survive the end of a process, and `powerLoss` takes back what was not synced.
 */
export class MemoryDisk implements Disk {
  readonly #tree = new MemoryTree();
  #boots = 1;

  async open(path: string, { create = false }: { readonly create?: boolean } = {}): Promise<DiskFile> {
    return new OpenFile(path, this.#tree.openFile(path, create));
  }

  async mkdir(path: string): Promise<void> {
    this.#tree.mkdir(path);
  }

  async readDir(path: string): Promise<string[]> {
    return this.#tree.names(path);
  }

  async exists(path: string): Promise<boolean> {
    return this.#tree.exists(path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#tree.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    this.#tree.remove(path);
  }

  async syncDir(path: string): Promise<void> {
    this.#tree.syncFolder(path);
  }

  async bootId(): Promise<string> {
    return `memory-${this.#boots}`;
  }

  /** What was not synced is gone, and the boot is another. The files that are open must not be used any more. */
  powerLoss(): void {
    this.#boots += 1;
    this.#tree.powerLoss();
  }
}

class OpenFile implements DiskFile {
  readonly #path: string;
  #file: MemoryFile | undefined;

  constructor(path: string, file: MemoryFile) {
    this.#path = path;
    this.#file = file;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    return this.#open().read(position, length);
  }

  async write(position: number, parts: readonly Uint8Array[]): Promise<void> {
    this.#open().write(position, parts);
  }

  async sync(): Promise<void> {
    this.#open().sync();
  }

  async truncate(length: number): Promise<void> {
    this.#open().truncate(length);
  }

  async size(): Promise<number> {
    return this.#open().length;
  }

  async close(): Promise<void> {
    this.#open();
    this.#file = undefined;
  }

  #open(): MemoryFile {
    if (this.#file === undefined)
      throw new DiskError('EBADF', this.#path, `the file is closed: ${this.#path}`);
    return this.#file;
  }
}
