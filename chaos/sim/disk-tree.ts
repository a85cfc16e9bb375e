import { DiskError } from '../../src/platform/ports.ts';
import { SimFile, type Survival } from './disk-file.ts';
import type { Prng } from './prng.ts';

/** Paths that were taken apart: the same few files are looked at after every event. */
const NAMES = new Map<string, readonly string[]>();
const NAMES_MAX = 10_000;

/** A folder: the entries that processes see and those on the platter. */
export class SimFolder {
  readonly kind = 'folder';
  readonly entries = new Map<string, SimEntry>();
  readonly platter = new Map<string, SimEntry>();
}

export type SimEntry = SimFile | SimFolder;

interface Place {
  readonly folder: SimFolder;
  readonly name: string;
}

/** One change of names, atomic as in any journal: `entry` appears at `to` and disappears from `from`. */
interface NameChange {
  readonly entry: SimEntry;
  readonly from?: Place;
  readonly to?: Place;
}

/** The tree of names on one disk. Changes of names stay volatile until their folder is synced. */
export class DiskTree {
  readonly #root = new SimFolder();
  #unsynced: NameChange[] = [];

  find(path: string): SimEntry | undefined {
    let entry: SimEntry | undefined = this.#root;
    for (const name of namesOf(path)) {
      if (entry?.kind !== 'folder') return undefined;
      entry = entry.entries.get(name);
    }
    return entry;
  }

  /** The entry that is on the platter under this path. */
  findDurable(path: string): SimEntry | undefined {
    let entry: SimEntry | undefined = this.#root;
    for (const name of namesOf(path)) {
      if (entry?.kind !== 'folder') return undefined;
      entry = entry.platter.get(name);
    }
    return entry;
  }

  folder(path: string): SimFolder {
    let folder = this.#root;
    for (const name of namesOf(path)) {
      const entry = folder.entries.get(name);
      if (entry === undefined) throw new DiskError('ENOENT', path, `no such folder: ${path}`);
      if (entry.kind !== 'folder') throw new DiskError('ENOTDIR', path, `a file is in the way: ${path}`);
      folder = entry;
    }
    return folder;
  }

  openFile(path: string, create: boolean): SimFile {
    const place = this.#place(path);
    const entry = place.folder.entries.get(place.name);
    if (entry?.kind === 'folder') throw new DiskError('EISDIR', path, `is a folder: ${path}`);
    if (entry !== undefined) return entry;
    if (!create) throw new DiskError('ENOENT', path, `no such file: ${path}`);
    const file = new SimFile();
    this.#change({ entry: file, to: place });
    return file;
  }

  mkdir(path: string): void {
    let folder = this.#root;
    const names = namesOf(path);
    for (const [index, name] of names.entries()) {
      let entry = folder.entries.get(name);
      if (entry === undefined) {
        entry = new SimFolder();
        this.#change({ entry, to: { folder, name } });
      }
      if (entry.kind !== 'folder') {
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

  /** Removes children before their folder, as a process does it: a crash may leave any part of it. */
  remove(path: string): void {
    const place = this.#placeOrNone(path);
    const entry = place?.folder.entries.get(place.name);
    if (place === undefined || entry === undefined) return;
    if (entry.kind === 'folder') {
      for (const name of [...entry.entries.keys()]) this.remove(`${path}/${name}`);
    }
    this.#change({ entry, from: place });
  }

  syncFolder(path: string): void {
    const folder = this.folder(path);
    const touches = (change: NameChange) => change.from?.folder === folder || change.to?.folder === folder;
    for (const change of this.#unsynced) {
      if (touches(change)) apply(change, (place) => place.platter);
    }
    this.#unsynced = this.#unsynced.filter((change) => !touches(change));
  }

  powerLoss(random: Prng, survival: Survival): void {
    for (const change of this.#unsynced) {
      if (random.chance(survival.kept)) apply(change, (folder) => folder.platter);
    }
    this.#unsynced = [];
    const files = new Set<SimFile>();
    const reload = (folder: SimFolder): void => {
      folder.entries.clear();
      for (const [name, entry] of folder.platter) {
        folder.entries.set(name, entry);
        if (entry.kind === 'folder') reload(entry);
        else files.add(entry);
      }
    };
    reload(this.#root);
    for (const file of files) file.powerLoss(random, survival);
  }

  /** All files that processes see, by path, in a stable order. */
  files(): Map<string, SimFile> {
    const found = new Map<string, SimFile>();
    const visit = (folder: SimFolder, path: string): void => {
      for (const name of [...folder.entries.keys()].sort()) {
        const entry = folder.entries.get(name);
        if (entry?.kind === 'folder') visit(entry, `${path}/${name}`);
        else if (entry !== undefined) found.set(`${path}/${name}`, entry);
      }
    };
    visit(this.#root, '');
    return found;
  }

  #place(path: string): Place {
    const names = [...namesOf(path)];
    const name = names.pop();
    if (name === undefined) throw new DiskError('EINVAL', path, 'the root has no name to change');
    return { folder: this.folder(`/${names.join('/')}`), name };
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
    apply(change, (folder) => folder.entries);
    this.#unsynced.push(change);
  }
}

function apply(change: NameChange, entriesOf: (folder: SimFolder) => Map<string, SimEntry>): void {
  const { entry, from, to } = change;
  if (from !== undefined && entriesOf(from.folder).get(from.name) === entry)
    entriesOf(from.folder).delete(from.name);
  if (to !== undefined) entriesOf(to.folder).set(to.name, entry);
}

/** Whether `path` lies somewhere in the folder `outer`. */
function isInside(path: string, outer: string): boolean {
  const [names, outerNames] = [namesOf(path), namesOf(outer)];
  return names.length > outerNames.length && outerNames.every((name, index) => names[index] === name);
}

/** Relative and absolute paths name the same tree; `.` is nothing, `..` is refused. */
function namesOf(path: string): readonly string[] {
  let names = NAMES.get(path);
  if (names !== undefined) return names;
  names = path.split('/').filter((name) => name !== '' && name !== '.');
  if (names.includes('..')) throw new DiskError('EINVAL', path, `paths with '..' are not supported: ${path}`);
  if (NAMES.size === NAMES_MAX) NAMES.clear();
  NAMES.set(path, names);
  return names;
}
