import type { Disk, DiskFile } from '../../../src/platform/ports.ts';
import { DiskError } from '../../../src/platform/ports.ts';

/** Files in a map, at once durable: for tests of formats and recovery, not of crashes (those use `chaos/sim`). */
export class MemoryDisk implements Disk {
  readonly files = new Map<string, Uint8Array>();
  /** Set to make every sync fail. */
  syncError: DiskError | undefined;
  syncs = 0;

  copy(): MemoryDisk {
    const disk = new MemoryDisk();
    for (const [path, bytes] of this.files) disk.files.set(path, bytes.slice());
    return disk;
  }

  async open(path: string, options?: { readonly create?: boolean }): Promise<DiskFile> {
    if (!this.files.has(path)) {
      if (!options?.create) throw new DiskError('ENOENT', path, `no such file: ${path}`);
      this.files.set(path, new Uint8Array(0));
    }
    const bytes = () => this.files.get(path) ?? new Uint8Array(0);
    return {
      read: async (position, length) => bytes().slice(position, position + length),
      write: async (position, parts) => {
        const end = position + parts.reduce((sum, part) => sum + part.length, 0);
        const next = new Uint8Array(Math.max(end, bytes().length));
        next.set(bytes());
        let at = position;
        for (const part of parts) {
          next.set(part, at);
          at += part.length;
        }
        this.files.set(path, next);
      },
      sync: async () => {
        this.syncs++;
        if (this.syncError) throw this.syncError;
      },
      truncate: async (length) => {
        this.files.set(path, bytes().slice(0, length));
      },
      size: async () => bytes().length,
      close: async () => {},
    };
  }

  async mkdir(): Promise<void> {}
  async readDir(path: string): Promise<string[]> {
    const names = [...this.files.keys()].filter((file) => file.startsWith(`${path}/`));
    return names.map((file) => file.slice(path.length + 1)).sort();
  }
  async exists(path: string): Promise<boolean> {
    return this.files.has(path);
  }
  async rename(from: string, to: string): Promise<void> {
    const bytes = this.files.get(from);
    if (!bytes) throw new DiskError('ENOENT', from, `no such file: ${from}`);
    this.files.set(to, bytes);
    this.files.delete(from);
  }
  async remove(path: string): Promise<void> {
    this.files.delete(path);
  }
  async syncDir(): Promise<void> {}
  async bootId(): Promise<string> {
    return 'boot';
  }
}
