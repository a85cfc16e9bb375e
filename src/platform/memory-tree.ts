import { MemoryFile } from './memory-file.ts';
import { DiskError } from './ports.ts';

/** What programs see in a folder, and what of it a power loss leaves. */
class MemoryFolder {
  readonly kind = 'folder';
  readonly entries = new Map<string, MemoryEntry>();
  readonly durable = new Map<string, MemoryEntry>();
}

type MemoryEntry = MemoryFile | MemoryFolder;

interface Place {
  readonly folder: MemoryFolder;
  readonly name: string;
}

/** Appears at `to`, disappears from `from`: atomic, as in the journal of a file system. */
interface NameChange {
  readonly entry: MemoryEntry;
  readonly from?: Place;
  readonly to?: Place;
}

/** The names of a `MemoryDisk`. A change of names is durable once one of the folders it touches is synced. */
export class MemoryTree {
  readonly #root = new MemoryFolder();
  #unsynced: NameChange[] = [];

  exists(path: string): boolean {
    let entry: MemoryEntry | undefined = this.#root;
    for (const name of namesOf(path)) {
      entry = entry?.kind === 'folder' ? entry.entries.get(name) : undefined;
    }
    return entry !== undefined;
  }

  names(path: string): string[] {
    return [...this.#folder(path).entries.keys()].sort();
  }

  openFile(path: string, create: boolean): MemoryFile {
    const place = this.#place(path);
    const entry = place.folder.entries.get(place.name);
    if (entry?.kind === 'folder') throw new DiskError('EISDIR', path, `is a folder: ${path}`);
    if (entry !== undefined) return entry;
    if (!create) throw new DiskError('ENOENT', path, `no such file: ${path}`);
    const file = new MemoryFile();
    this.#change({ entry: file, to: place });
    return file;
  }

  mkdir(path: string): void {
    let folder = this.#root;
    const names = namesOf(path);
    for (const [index, name] of names.entries()) {
      let entry = folder.entries.get(name);
      if (entry === undefined) {
        entry = new MemoryFolder();
        this.#change({ entry, to: { folder, name } });
      }
      if (entry.kind === 'file') {
        const code = index === names.length - 1 ? 'EEXIST' : 'ENOTDIR';
        throw new DiskError(code, path, `a file is in the way: ${path}`);
      }
      folder = entry;
    }
  }

  rename(fromPath: string, toPath: string): void {
    const from = this.#place(fromPath);
    const to = this.#place(toPath);
    const entry = from.folder.entries.get(from.name);
    if (entry === undefined) throw new DiskError('ENOENT', fromPath, `no such file: ${fromPath}`);
    if (isInside(toPath, fromPath))
      throw new DiskError('EINVAL', fromPath, `${toPath} is inside ${fromPath}`);
    if (isInside(fromPath, toPath))
      throw new DiskError('ENOTEMPTY', toPath, `folder is not empty: ${toPath}`);
    const target = to.folder.entries.get(to.name);
    if (target === entry) return;
    if (target !== undefined && target.kind !== entry.kind) {
      const code = target.kind === 'folder' ? 'EISDIR' : 'ENOTDIR';
      throw new DiskError(code, toPath, `${toPath} is a ${target.kind}, ${fromPath} is a ${entry.kind}`);
    }
    if (target?.kind === 'folder' && target.entries.size > 0) {
      throw new DiskError('ENOTEMPTY', toPath, `folder is not empty: ${toPath}`);
    }
    this.#change({ entry, from, to });
  }

  /** What is in a folder goes with it; what is missing is fine. */
  remove(path: string): void {
    const place = this.#placeOrNone(path);
    const entry = place?.folder.entries.get(place.name);
    if (place !== undefined && entry !== undefined) this.#change({ entry, from: place });
  }

  syncFolder(path: string): void {
    const folder = this.#folder(path);
    const isTouched = ({ from, to }: NameChange) => from?.folder === folder || to?.folder === folder;
    const left: NameChange[] = [];
    for (const change of this.#unsynced) {
      if (isTouched(change)) apply(change, 'durable');
      else left.push(change);
    }
    this.#unsynced = left;
  }

  powerLoss(): void {
    this.#unsynced = [];
    const reload = (folder: MemoryFolder): void => {
      folder.entries.clear();
      for (const [name, entry] of folder.durable) {
        folder.entries.set(name, entry);
        if (entry.kind === 'folder') reload(entry);
        else entry.powerLoss();
      }
    };
    reload(this.#root);
  }

  #folder(path: string): MemoryFolder {
    let folder = this.#root;
    for (const name of namesOf(path)) {
      const entry = folder.entries.get(name);
      if (entry === undefined) throw new DiskError('ENOENT', path, `no such folder: ${path}`);
      if (entry.kind === 'file') throw new DiskError('ENOTDIR', path, `a file is in the way: ${path}`);
      folder = entry;
    }
    return folder;
  }

  #place(path: string): Place {
    const names = namesOf(path);
    const name = names.pop();
    if (name === undefined) throw new DiskError('EINVAL', path, 'the root has no name to change');
    return { folder: this.#folder(names.join('/')), name };
  }

  #placeOrNone(path: string): Place | undefined {
    try {
      return this.#place(path);
    } catch (error) {
      if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #change(change: NameChange): void {
    apply(change, 'entries');
    this.#unsynced.push(change);
  }
}

function apply({ entry, from, to }: NameChange, view: 'entries' | 'durable'): void {
  if (from !== undefined && from.folder[view].get(from.name) === entry) from.folder[view].delete(from.name);
  to?.folder[view].set(to.name, entry);
}

/** Whether `path` lies somewhere in the folder `outer`. */
function isInside(path: string, outer: string): boolean {
  const [names, outerNames] = [namesOf(path), namesOf(outer)];
  return names.length > outerNames.length && outerNames.every((name, index) => names[index] === name);
}

/** Relative and absolute paths name the same tree. */
function namesOf(path: string): string[] {
  const names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) throw new DiskError('EINVAL', path, `paths with '..' are not supported: ${path}`);
  return names;
}
