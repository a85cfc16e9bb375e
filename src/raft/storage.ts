import { asError } from '../platform/as-error.ts';
import type { Disk, DiskFile, Logger } from '../platform/ports.ts';
import { crc32c } from '../protocol/crc32c.ts';
import { RaftError } from './errors.ts';
import type { LogBase, LogPosition } from './log-view.ts';
import type { SnapshotHeader } from './snapshot-file.ts';
import {
  listSnapshots,
  readSnapshot,
  readSnapshotChunk,
  snapshotName,
  writeSnapshot,
} from './snapshot-file.ts';
import type { Entry, HardState, PersistEffect, SnapshotMeta, Voter } from './types.ts';
import type { WalRecord } from './wal-format.ts';
import { encodeFrame, recordBytes } from './wal-format.ts';
import type { WalFile } from './wal-recovery.ts';
import { recoverWal, walName, walSequences } from './wal-recovery.ts';

export interface RaftStorageLimits {
  /** A file of the log that reached this size is followed by a new one. */
  readonly walFileBytes: number;
  /** A round of group commit takes no more than this (but at least one write). */
  readonly roundBytesMax: number;
}

export const DEFAULT_STORAGE_LIMITS: RaftStorageLimits = {
  walFileBytes: 16 * 1024 * 1024,
  roundBytesMax: 8 * 1024 * 1024,
};

export interface RaftStorageOptions {
  readonly disk: Disk;
  readonly dir: string;
  readonly logger: Logger;
  readonly limits: RaftStorageLimits;
  crash(error: Error): never;
}

/** What the disk held. */
export interface Recovered {
  readonly header: SnapshotHeader;
  readonly data: Uint8Array;
  readonly hardState: HardState;
  readonly entries: readonly Entry[];
}

/** A write waits with what to do behind it; without a write, something that waits for those before it. */
interface QueueItem {
  readonly effect: PersistEffect | undefined;
  readonly done: () => void;
}

const SNAPSHOTS_KEPT = 2;

/**
 * The disk of a replica: a write-ahead log of small files and the snapshots before it. Group commit: one round of
 * write and sync is under way at a time, and everything that arrives meanwhile is the next round. Any error of the
 * disk ends the process: after a failed sync nobody knows what is on it (PostgreSQL 2018).
 */
export class RaftStorage {
  readonly #options: RaftStorageOptions;
  #clusterId: string | undefined;
  #files: WalFile[] = [];
  #current: DiskFile | undefined;
  #hardState: HardState = { epoch: 0, votedFor: undefined };
  /** The log on disk does not lead up to the snapshot: the next write has to say so first. */
  #resetTo: LogPosition | undefined;
  #queue: QueueItem[] = [];
  #running: Promise<void> | undefined;
  #compactTo = 0;
  #closed = false;

  private constructor(options: RaftStorageOptions) {
    this.#options = options;
  }

  /** Opens a folder; `recovered` is undefined when it is blank. Throws RaftError when it is damaged. */
  static async open(
    options: RaftStorageOptions,
  ): Promise<{ readonly storage: RaftStorage; readonly recovered: Recovered | undefined }> {
    const storage = new RaftStorage(options);
    return { storage, recovered: await storage.#recover() };
  }

  async #recover(): Promise<Recovered | undefined> {
    const { disk, dir, logger } = this.#options;
    await disk.mkdir(dir);
    const names = await disk.readDir(dir);
    for (const name of names) if (name.endsWith('.tmp')) await disk.remove(`${dir}/${name}`);
    const sequences = walSequences(names);
    const newest = (await listSnapshots(disk, dir)).at(-1);
    if (newest === undefined) {
      if (sequences.length === 0) return undefined;
      throw new RaftError(
        'RAFT_LOG_CORRUPT',
        `${dir} holds a quorum log, but the snapshot that it starts from is gone`,
      );
    }
    // What a killed process had created may be in the page cache alone.
    await this.#syncFolders();
    const { header, data } = await readSnapshot(disk, dir, newest);
    const wal = await recoverWal(disk, dir, sequences, header, logger);
    this.#clusterId = header.clusterId;
    this.#files = wal.files;
    this.#hardState = wal.hardState;
    this.#resetTo = wal.isDetached ? header : undefined;
    return { header, data, hardState: wal.hardState, entries: wal.entries };
  }

  /**
   * Joins a cluster: writes the snapshot at index 0 that says which one, and who votes in it. For a node that joins later
   * the voters are hearsay, which its log soon corrects.
   */
  async initialize(clusterId: string, voters: readonly Voter[]): Promise<Recovered> {
    if (this.#clusterId !== undefined) throw new Error('the quorum log is initialized already');
    const { disk, dir } = this.#options;
    const header: SnapshotHeader = {
      clusterId,
      index: 0,
      epoch: 0,
      sizeBytes: 0,
      crc: 0,
      voterSet: { voters, vacant: [] },
    };
    await writeSnapshot(disk, dir, header, []);
    await this.#syncFolders();
    this.#clusterId = clusterId;
    return { header, data: new Uint8Array(0), hardState: this.#hardState, entries: [] };
  }

  /** Queues a write; `synced` is called once it is durable, together with all before it. */
  persist(effect: PersistEffect, synced: () => void): void {
    this.#enqueue({ effect, done: synced });
  }

  /** Calls `done` once everything queued so far is durable: at once when nothing is. */
  afterSync(done: () => void): void {
    if (!this.#running && this.#queue.length === 0) done();
    else this.#enqueue({ effect: undefined, done });
  }

  /** Writes a snapshot of the applied state beside the log, which goes on meanwhile. */
  async saveSnapshot(base: LogBase, data: readonly Uint8Array[]): Promise<SnapshotMeta> {
    const { index, epoch, voterSet } = base;
    const meta: SnapshotMeta = { index, epoch, ...measure(data), voterSet };
    await this.#writeSnapshot(meta, data);
    return meta;
  }

  readChunk(index: number, position: number, lengthBytes: number): Promise<Uint8Array> {
    return readSnapshotChunk(this.#options.disk, this.#options.dir, index, position, lengthBytes);
  }

  /** Allows files to go that speak of nothing above `index`; a durable snapshot must hold all up to there. */
  compact(index: number): void {
    this.#compactTo = Math.max(this.#compactTo, index);
    this.#enqueue({ effect: undefined, done: () => {} });
  }

  /** Finishes what is queued and lets go of the files. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#running) await this.#running;
    await this.#current?.close();
    this.#current = undefined;
  }

  #enqueue(item: QueueItem): void {
    if (this.#closed) return;
    this.#queue.push(item);
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    try {
      // One turn later: everything of the present turn joins the first round.
      await Promise.resolve();
      while (this.#queue.length > 0) {
        const round = this.#takeRound();
        await this.#writeRound(round.flatMap((item) => item.effect ?? []));
        for (const item of round) item.done();
        await this.#deleteOldFiles();
      }
    } catch (error) {
      this.#options.crash(asError(error));
    } finally {
      this.#running = undefined;
    }
  }

  #takeRound(): QueueItem[] {
    let count = 0;
    let bytes = 0;
    for (const { effect } of this.#queue) {
      for (const entry of effect?.entries ?? []) bytes += recordBytes({ kind: 'entry', entry });
      if (count > 0 && bytes > this.#options.limits.roundBytesMax) break;
      count++;
    }
    return this.#queue.splice(0, count);
  }

  async #writeRound(effects: readonly PersistEffect[]): Promise<void> {
    const records: WalRecord[] = [];
    let hardStateChanged = false;
    for (const { hardState, snapshot, entries } of effects) {
      if (hardState) {
        this.#hardState = hardState;
        hardStateChanged = true;
      }
      if (snapshot) {
        // The file first: a log that was reset to a snapshot which is not there could not be read.
        await this.#writeSnapshot(snapshot.meta, [snapshot.bytes]);
        records.push({ kind: 'reset', index: snapshot.meta.index, epoch: snapshot.meta.epoch });
        this.#resetTo = undefined;
      } else if (this.#resetTo && entries.length > 0) {
        records.push({ kind: 'reset', index: this.#resetTo.index, epoch: this.#resetTo.epoch });
        this.#resetTo = undefined;
      }
      for (const entry of entries) records.push({ kind: 'entry', entry });
    }
    if (hardStateChanged || records.length > 0) await this.#writeFrame(records, hardStateChanged);
  }

  async #writeFrame(records: readonly WalRecord[], hardStateChanged: boolean): Promise<void> {
    const { file, meta } = await this.#fileToAppendTo();
    const isNew = meta.sizeBytes === 0;
    // A round is there whole or not at all, so one hard state is enough, the newest. A new file opens with it in any
    // case: those before it may be deleted.
    const hardState: WalRecord = { kind: 'hardState', hardState: this.#hardState };
    const all = isNew || hardStateChanged ? [hardState, ...records] : records;
    const frame = encodeFrame(all, meta.sequence, meta.sizeBytes);
    await file.write(meta.sizeBytes, [frame]);
    await file.sync();
    if (isNew) await this.#options.disk.syncDir(this.#options.dir);
    meta.sizeBytes += frame.length;
    for (const record of records) {
      if (record.kind === 'entry') meta.maxIndex = Math.max(meta.maxIndex, record.entry.index);
      else if (record.kind === 'reset') meta.maxIndex = Math.max(meta.maxIndex, record.index);
    }
  }

  async #fileToAppendTo(): Promise<{ readonly file: DiskFile; readonly meta: WalFile }> {
    const { disk, dir, limits } = this.#options;
    let meta = this.#files.at(-1);
    if (!meta || meta.sizeBytes >= limits.walFileBytes) {
      meta = { sequence: (meta?.sequence ?? 0) + 1, sizeBytes: 0, maxIndex: 0 };
      this.#files.push(meta);
      await this.#current?.close();
      this.#current = undefined;
    }
    this.#current ??= await disk.open(`${dir}/${walName(meta.sequence)}`, { create: true });
    return { file: this.#current, meta };
  }

  async #writeSnapshot(meta: SnapshotMeta, data: readonly Uint8Array[]): Promise<void> {
    if (this.#clusterId === undefined) throw new Error('the quorum log is not initialized');
    const { disk, dir } = this.#options;
    await writeSnapshot(disk, dir, { ...meta, clusterId: this.#clusterId }, data);
    // The one before stays: it may be on its way to a follower.
    const old = (await listSnapshots(disk, dir)).slice(0, -SNAPSHOTS_KEPT);
    for (const index of old) await disk.remove(`${dir}/${snapshotName(index)}`);
  }

  /** The folder's files, and the folder itself in its parent. */
  async #syncFolders(): Promise<void> {
    const { disk, dir } = this.#options;
    await disk.syncDir(dir);
    const parent = dir.slice(0, Math.max(dir.lastIndexOf('/'), 0));
    if (parent !== '') await disk.syncDir(parent);
  }

  async #deleteOldFiles(): Promise<void> {
    while (this.#files.length > 1) {
      const oldest = this.#files[0];
      if (!oldest || oldest.maxIndex > this.#compactTo) return;
      await this.#options.disk.remove(`${this.#options.dir}/${walName(oldest.sequence)}`);
      this.#files.shift();
    }
  }
}

function measure(data: readonly Uint8Array[]): { sizeBytes: number; crc: number } {
  let sizeBytes = 0;
  for (const part of data) sizeBytes += part.length;
  const whole = new Uint8Array(sizeBytes);
  let position = 0;
  for (const part of data) {
    whole.set(part, position);
    position += part.length;
  }
  return { sizeBytes, crc: crc32c(whole) };
}
