/** Small habits of writing files safely. */

import { type Disk, DiskError } from '../platform/ports.ts';

/** Replaces a file: after a crash at any point it is the old one or the new one, whole. Durable when it returns. */
export async function writeAtomically(
  disk: Disk,
  folder: string,
  name: string,
  bytes: Uint8Array,
): Promise<void> {
  await writeReplacing(disk, `${folder}/${name}.tmp`, bytes, { sync: true });
  await disk.rename(`${folder}/${name}.tmp`, `${folder}/${name}`);
  await disk.syncDir(folder);
}

/** Writes a file anew in place; for what may be torn or missing after a crash, since a checksum tells. */
export async function writeReplacing(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  { sync }: { sync: boolean },
): Promise<void> {
  const file = await disk.open(path, { create: true });
  try {
    await file.truncate(0);
    await file.write(0, [bytes]);
    if (sync) await file.sync();
  } finally {
    await file.close();
  }
}

/** The contents of a file; `undefined` if there is none. */
export async function readIfExists(disk: Disk, path: string): Promise<Uint8Array | undefined> {
  try {
    const file = await disk.open(path);
    try {
      return await file.read(0, await file.size());
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Creates a folder and those above it, and makes the names of the new ones durable. */
export async function makeFolder(disk: Disk, path: string): Promise<void> {
  const slash = path.lastIndexOf('/');
  const parent = slash > 0 ? path.slice(0, slash) : slash === 0 ? '/' : '.';
  if (await disk.exists(path)) return;
  if (parent !== path) await makeFolder(disk, parent);
  await disk.mkdir(path);
  await disk.syncDir(parent);
}

export function isDiskFull(error: unknown): boolean {
  return error instanceof DiskError && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}

/** Runs an action one at a time. A call that arrives meanwhile shares the next run with all others that do. */
export class Coalesced {
  readonly #act: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(act: () => Promise<void>) {
    this.#act = act;
  }

  /** Resolves after a run that began after this call. */
  run(): Promise<void> {
    if (this.#running === undefined) return this.#start();
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    );
    return this.#next;
  }

  #start(): Promise<void> {
    this.#next = undefined;
    const running = this.#act().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
