import { type Disk, DiskError, type DiskFile } from '../../src/platform/ports.ts';
import type { DurableFile, SimFile, Survival } from './disk-file.ts';
import { DiskTree } from './disk-tree.ts';
import { Disturbances } from './disturbances.ts';
import type { Incarnation } from './node.ts';
import type { Prng } from './prng.ts';
import { checksum, concatenate } from './trace.ts';
import type { SimWorld } from './world.ts';

export type DiskOperation =
  | 'open'
  | 'read'
  | 'write'
  | 'sync'
  | 'truncate'
  | 'mkdir'
  | 'readDir'
  | 'rename'
  | 'remove'
  | 'syncDir';

/** An error to inject; see `SimDisk.inject`. */
export interface DiskFault {
  readonly operation: DiskOperation;
  /** errno name, e.g. `EIO`. */
  readonly code: string;
  /** Only for paths that contain this. */
  readonly path?: string;
  /** How often it strikes; 1 by default. */
  readonly times?: number;
  /** The chance that it strikes a matching operation; 1 by default. */
  readonly probability?: number;
  /** A write stores a part of its bytes, from the start on, before it fails. */
  readonly isShort?: boolean;
}

/** Mean virtual delays; each operation draws from an exponential distribution. */
export interface DiskLatency {
  readMs: number;
  writeMs: number;
  syncMs: number;
  /** Added per MiB read or written. */
  perMebibyteMs: number;
}

/** An operation under way; a crash may leave a part of its effect. */
interface InFlightWrite {
  readonly file: SimFile;
  readonly position: number;
  readonly bytes: Uint8Array;
}

/**
 * The disk of one node. Every file and folder entry has a durable and an unsynced image (see `disk-file.ts`,
 * `disk-tree.ts`). Faults are set by the test: `inject`, `capacityBytes`, `lie`, `latency`, `rot`, `wipe`.
 */
export class SimDisk {
  /** A write that does not fit writes what fits and fails with ENOSPC. */
  capacityBytes = Number.POSITIVE_INFINITY;
  survival: Survival = { kept: 0.4, torn: 0.3 };
  readonly latency: DiskLatency = { readMs: 0.1, writeMs: 0.05, syncMs: 1, perMebibyteMs: 1 };
  readonly #disturbances = new Disturbances(this.latency);
  readonly #world: SimWorld;
  readonly #name: string;
  readonly #random: Prng;
  readonly #inFlight = new Set<InFlightWrite>();
  #faults: { fault: DiskFault; timesLeft: number }[] = [];
  readonly #rot = new Set<() => void>();
  #rotCount = 0;
  #tree = new DiskTree();
  #boots = 1;

  constructor(world: SimWorld, name: string) {
    this.#world = world;
    this.#name = name;
    this.#random = world.diskRandom.fork(name);
  }

  get usedBytes(): number {
    let usedBytes = 0;
    for (const file of this.#tree.files().values()) usedBytes += file.length;
    return usedBytes;
  }

  /** The files as a running process sees them, for checks: path to size. */
  files(): Map<string, number> {
    return new Map([...this.#tree.files()].map(([path, file]) => [path, file.length]));
  }

  /** What a running process would read, without time passing. */
  peek(path: string): Uint8Array | undefined {
    const entry = this.#tree.find(path);
    return entry?.kind === 'file' ? entry.read(0, entry.length) : undefined;
  }

  /** What a power loss right now would surely leave of a file, for checks; undefined when not even its name. */
  peekDurable(path: string): DurableFile | undefined {
    const entry = this.#tree.findDurable(path);
    return entry?.kind === 'file' ? entry.durable : undefined;
  }

  /** The names that a power loss right now would surely leave in a folder, for checks. */
  peekDurableNames(path: string): string[] {
    const entry = this.#tree.findDurable(path);
    return entry?.kind === 'folder' ? [...entry.platter.keys()].sort() : [];
  }

  /** Changes how long operations take; returns what ends the change. Changes may overlap. */
  disturb(change: Partial<DiskLatency>): () => void {
    return this.#disturbances.begin(change);
  }

  /** Returns what ends it, if it has not struck by then. */
  inject(fault: DiskFault): () => void {
    const injected = { fault, timesLeft: fault.times ?? 1 };
    this.#faults.push(injected);
    return () => {
      this.#faults = this.#faults.filter((each) => each !== injected);
    };
  }

  clearFaults(): void {
    this.#faults = [];
    this.capacityBytes = Number.POSITIVE_INFINITY;
  }

  /**
   * Bit rot: flips the bits of `mask` in one byte, in the cache and on the platter. Returns what gives the byte back, if it
   * is still there.
   */
  rot(path: string, position: number, mask = 1): () => void {
    return this.#damage(path, (file) => {
      const [byte = 0] = file.read(position, 1);
      return [file.damage(position, Uint8Array.of(byte ^ mask))];
    });
  }

  /**
   * A write that went astray: the bytes that were written at `position` lie at `astray` instead, and where they belong is
   * nothing. Can be taken back as `rot` can.
   */
  misdirect(path: string, position: number, astray: number, length: number): () => void {
    return this.#damage(path, (file) => {
      const bytes = file.read(position, length);
      return [file.damage(position, new Uint8Array(bytes.length)), file.damage(astray, bytes)];
    });
  }

  #damage(path: string, act: (file: SimFile) => (() => void)[]): () => void {
    const file = this.#tree.find(path);
    if (file?.kind !== 'file') throw new Error(`no file to damage: ${path}`);
    return this.#damaged(act(file).reverse());
  }

  #damaged(repairs: readonly (() => void)[]): () => void {
    const takeBack = () => {
      if (this.#rot.delete(takeBack)) for (const repair of repairs) repair();
    };
    this.#rot.add(takeBack);
    this.#rotCount += 1;
    return takeBack;
  }

  /**
   * Syncs of all files whose path contains this lie from now on. `expose` brings it to light, a moment before the power
   * fails: what they claimed is treated as never synced. The function returned gives back what is missing amid files, as far as
   * nothing was written there since. `end` has everything written after all.
   */
  lie(pathPart: string): { readonly end: () => void; readonly expose: () => () => void } {
    const files = [...this.#tree.files()].flatMap(([path, file]) => (path.includes(pathPart) ? [file] : []));
    for (const file of files) file.beginLie();
    return {
      end: () => {
        for (const file of files) file.endLie();
      },
      expose: () => {
        return this.#damaged(files.map((file) => file.expose(this.#random, this.survival)));
      },
    };
  }

  /** How often the disk gave back other bytes than were written, whatever became of them. */
  get rotCount(): number {
    return this.#rotCount;
  }

  /** Whether it does so at the moment, as far as nobody has made it good. */
  get isRotten(): boolean {
    return this.#rot.size > 0;
  }

  /** A new, empty disk. */
  wipe(): void {
    this.#tree = new DiskTree();
    this.#rot.clear();
    this.#inFlight.clear();
  }

  /** The process is gone: of each write under way, a prefix reached the page cache. */
  processCrash(): void {
    for (const { file, position, bytes } of this.#inFlight) {
      const length = this.#random.pick([0, bytes.length, this.#random.between(0, bytes.length)]);
      if (length > 0) file.write(position, bytes.slice(0, length));
    }
    this.#inFlight.clear();
  }

  /** The page cache is gone: each unsynced change survives, is lost or is torn. */
  powerLoss(): void {
    this.#boots += 1;
    this.#tree.powerLoss(this.#random, this.survival);
  }

  portFor(owner: Incarnation): Disk {
    const run = <T>(operation: DiskOperation, path: string, act: () => T) =>
      this.#run(owner, operation, path, this.latency.writeMs, act);
    return {
      open: async (path, options) => {
        const file = await run('open', path, () => this.#tree.openFile(path, options?.create ?? false));
        return this.#handle(owner, path, file);
      },
      mkdir: (path) => run('mkdir', path, () => this.#tree.mkdir(path)),
      readDir: (path) => run('readDir', path, () => [...this.#tree.folder(path).entries.keys()].sort()),
      exists: (path) => run('readDir', path, () => this.#tree.find(path) !== undefined),
      rename: (from, to) => run('rename', from, () => this.#tree.rename(from, to)),
      remove: (path) => run('remove', path, () => this.#tree.remove(path)),
      syncDir: (path) =>
        this.#run(owner, 'syncDir', path, this.latency.syncMs, () => {
          this.#tree.syncFolder(path);
        }),
      bootId: () => run('read', 'boot_id', () => `${this.#name}-boot-${this.#boots}`),
    };
  }

  #handle(owner: Incarnation, path: string, file: SimFile): DiskFile {
    let open = true;
    const run = <T>(
      operation: DiskOperation,
      delayMs: number,
      act: () => T,
      onFault?: (fault: DiskFault) => void,
    ) => {
      const ifOpen = () => {
        if (!open) throw new DiskError('EBADF', path, `file is closed: ${path}`);
        return act();
      };
      return this.#run(owner, operation, path, delayMs, ifOpen, onFault);
    };
    return {
      read: (position, length) =>
        run('read', this.#transferMs(this.latency.readMs, length), () => file.read(position, length)),
      write: (position, parts) => {
        const bytes = concatenate(parts);
        const sum = checksum([bytes]);
        const write: InFlightWrite = { file, position, bytes };
        if (owner.alive) this.#inFlight.add(write);
        const act = () => {
          if (checksum(parts) !== sum) {
            throw new Error(`a buffer was changed while it was being written to ${path}`);
          }
          this.#world.trace.add('written', position, bytes.length, sum);
          this.#write(write, path);
        };
        const onFault = ({ isShort }: DiskFault) => {
          if (isShort) file.write(position, bytes.slice(0, this.#random.between(0, bytes.length)));
        };
        return run('write', this.#transferMs(this.latency.writeMs, bytes.length), act, onFault).finally(() =>
          this.#inFlight.delete(write),
        );
      },
      sync: () => this.#sync(owner, path, file, () => open),
      truncate: (length) => run('truncate', this.latency.writeMs, () => file.truncate(length)),
      size: () => run('read', this.latency.readMs, () => file.length),
      close: () =>
        run('read', 0, () => {
          open = false;
        }),
    };
  }

  #write(write: InFlightWrite, path: string): void {
    const { file, position, bytes } = write;
    const growth = position + bytes.length - file.length;
    // Adding up all files takes time, so only where it matters.
    const isBounded = growth > 0 && this.capacityBytes !== Number.POSITIVE_INFINITY;
    const roomBytes = isBounded ? this.capacityBytes - this.usedBytes : Number.POSITIVE_INFINITY;
    if (growth <= roomBytes || growth <= 0) {
      file.write(position, bytes);
      return;
    }
    const fits = Math.max(0, bytes.length - (growth - Math.max(0, roomBytes)));
    if (fits > 0) file.write(position, bytes.slice(0, fits));
    throw new DiskError(
      'ENOSPC',
      path,
      `disk of ${this.#name} is full: wrote ${fits} of ${bytes.length} bytes`,
    );
  }

  /** Covers the changes made before it began, no more. */
  #sync(owner: Incarnation, path: string, file: SimFile, isOpen: () => boolean): Promise<void> {
    const lastChangeId = file.lastChangeId;
    const onFault = () => file.failSync(lastChangeId, this.#random, this.survival);
    const sync = () => {
      if (!isOpen()) throw new DiskError('EBADF', path, `file is closed: ${path}`);
      file.sync(lastChangeId);
    };
    return this.#run(owner, 'sync', path, this.latency.syncMs, sync, onFault);
  }

  #transferMs(baseMs: number, bytes: number): number {
    return baseMs + (bytes / 2 ** 20) * this.latency.perMebibyteMs;
  }

  /** Acts after a delay. For a process that is gone by then, nothing ever completes. */
  #run<T>(
    owner: Incarnation,
    operation: DiskOperation,
    path: string,
    meanDelayMs: number,
    act: () => T,
    onFault?: (fault: DiskFault) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      if (!owner.alive) return;
      const delayMs = this.#random.exponential(meanDelayMs);
      // An injected error tells who asked for the operation; a trace of each would take long.
      const cause = this.#faults.length > 0 ? new Error(`${operation} was asked for here`) : undefined;
      const complete = () => {
        try {
          const fault = this.#takeFault(operation, path);
          if (fault !== undefined) {
            onFault?.(fault);
            const message = `injected ${fault.code} on ${operation} of ${path}`;
            throw new DiskError(fault.code, path, message, { cause });
          }
          resolve(act());
        } catch (error) {
          reject(error);
        }
      };
      this.#world.schedule(delayMs, operation, complete, owner, path);
    });
  }

  #takeFault(operation: DiskOperation, path: string): DiskFault | undefined {
    const match = this.#faults.find(
      ({ fault, timesLeft }) =>
        timesLeft > 0 &&
        fault.operation === operation &&
        path.includes(fault.path ?? '') &&
        (fault.probability === undefined || this.#random.chance(fault.probability)),
    );
    if (match !== undefined) match.timesLeft -= 1;
    return match?.fault;
  }
}
