import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, type FileHandle, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { uptime } from 'node:os';
import { type Disk, DiskError, type DiskFile } from './ports.ts';

const BOOT_ID_PATH = '/proc/sys/kernel/random/boot_id';

export const nodeDisk: Disk = {
  open: async (path, options) => {
    const flags = constants.O_RDWR | (options?.create === true ? constants.O_CREAT : 0);
    return new NodeFile(path, await attempt(path, open(path, flags)));
  },
  mkdir: async (path) => {
    await attempt(path, mkdir(path, { recursive: true }));
  },
  readDir: async (path) => (await attempt(path, readdir(path))).sort(),
  exists: async (path) => {
    try {
      await attempt(path, access(path));
      return true;
    } catch (error) {
      if (error instanceof DiskError && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return false;
      throw error;
    }
  },
  rename: (from, to) => attempt(from, rename(from, to)),
  remove: (path) => attempt(path, rm(path, { recursive: true, force: true })),
  syncDir: async (path) => {
    const folder = await attempt(path, open(path, constants.O_RDONLY | constants.O_DIRECTORY));
    try {
      await attempt(path, folder.sync());
    } finally {
      await folder.close();
    }
  },
  bootId,
};

class NodeFile implements DiskFile {
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  async read(position: number, length: number): Promise<Uint8Array> {
    // Not from Buffer's shared pool: a slice kept by a caller would pin, and could alias, its neighbours.
    const buffer = Buffer.allocUnsafeSlow(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#attempt(
        this.#handle.read(buffer, done, length - done, position + done),
      );
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return new Uint8Array(buffer.buffer, buffer.byteOffset, done);
  }

  async write(position: number, parts: readonly Uint8Array[]): Promise<void> {
    let left = parts.filter((part) => part.length > 0);
    let done = 0;
    while (left.length > 0) {
      const { bytesWritten } = await this.#attempt(this.#handle.writev(left, position + done));
      if (bytesWritten === 0)
        throw new DiskError('EIO', this.#path, `nothing could be written to ${this.#path}`);
      done += bytesWritten;
      left = skipBytes(left, bytesWritten);
    }
  }

  sync(): Promise<void> {
    return this.#attempt(this.#handle.datasync());
  }

  truncate(length: number): Promise<void> {
    return this.#attempt(this.#handle.truncate(length));
  }

  async size(): Promise<number> {
    return (await this.#attempt(this.#handle.stat())).size;
  }

  close(): Promise<void> {
    return this.#attempt(this.#handle.close());
  }

  #attempt<T>(operation: Promise<T>): Promise<T> {
    return attempt(this.#path, operation);
  }
}

/** What is left to write after a short write. */
function skipBytes(parts: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let skip = bytes;
  const left: Uint8Array[] = [];
  for (const part of parts) {
    if (skip < part.length) left.push(part.subarray(skip));
    skip = Math.max(0, skip - part.length);
  }
  return left;
}

async function attempt<T>(path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new DiskError(code ?? 'EIO', path, message, { cause: error });
  }
}

/**
 * Linux names each boot. Elsewhere the moment of the boot serves: where the clock was set since, the id differs
 * although the page cache is intact, which costs a recovery and loses nothing.
 */
async function bootId(): Promise<string> {
  try {
    return (await readFile(BOOT_ID_PATH, 'utf8')).trim();
  } catch {
    const bootMinute = Math.round((Date.now() / 1000 - uptime()) / 60);
    return createHash('sha256').update(String(bootMinute)).digest('hex').slice(0, 32);
  }
}
