import { type FileHandle, open, readdir } from 'node:fs/promises';
import { nodeDisk } from '../../platform/disk.ts';
import { type Disk, DiskError, type DiskFile } from '../../platform/ports.ts';

/**
 * A disk that can only be read: every file is opened read-only, so a dump changes nothing under a running node, and
 * works on a folder that it may not write to. What would write throws.
 */
export const readOnlyDisk: Disk = {
  open: async (path) => new ReadOnlyFile(path, await attempt(path, open(path, 'r'))),
  readDir: async (path) => (await attempt(path, readdir(path))).sort(),
  exists: async (path) => {
    try {
      await (await attempt(path, open(path, 'r'))).close();
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
  },
  mkdir: refuse,
  rename: refuse,
  remove: refuse,
  syncDir: refuse,
  bootId: () => nodeDisk.bootId(),
};

/** A file or folder that is not there, or not any more: a running node removes what it no longer needs. */
export function isMissing(error: unknown): boolean {
  return error instanceof DiskError && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

class ReadOnlyFile implements DiskFile {
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const read = this.#handle.read(bytes, done, length - done, position + done);
      const { bytesRead } = await attempt(this.#path, read);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return bytes.subarray(0, done);
  }

  async size(): Promise<number> {
    return (await attempt(this.#path, this.#handle.stat())).size;
  }

  close(): Promise<void> {
    return attempt(this.#path, this.#handle.close());
  }

  write = () => refuse(this.#path);
  sync = () => refuse(this.#path);
  truncate = () => refuse(this.#path);
}

async function refuse(path: string): Promise<never> {
  throw new Error(`a dump only reads, and would have written ${path}`);
}

async function attempt<T>(path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DiskError(code ?? 'EIO', path, message, { cause: error });
  }
}
