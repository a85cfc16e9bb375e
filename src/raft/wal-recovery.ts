import type { Disk, Logger } from '../platform/ports.ts';
import { RaftError } from './errors.ts';
import type { LogPosition } from './log-view.ts';
import type { Entry, HardState } from './types.ts';
import type { WalRecord } from './wal-format.ts';
import { decodeFrame, hasFrameBehind, isTornFrame } from './wal-format.ts';

/** One file of the log, and the highest index it speaks of: once a snapshot covers that, the file may go. */
export interface WalFile {
  readonly sequence: number;
  sizeBytes: number;
  maxIndex: number;
}

export interface RecoveredWal {
  readonly files: WalFile[];
  readonly hardState: HardState;
  /** The entries above the snapshot, contiguous. */
  readonly entries: Entry[];
  /** What the log says does not lead up to the snapshot, and is void. */
  readonly isDetached: boolean;
}

const PATTERN = /^(\d{10})\.wal$/;

export const walName = (sequence: number): string => `${String(sequence).padStart(10, '0')}.wal`;

/** Sequences of the files in a folder, ascending. */
export function walSequences(names: readonly string[]): number[] {
  return names.flatMap((name) => PATTERN.exec(name)?.[1] ?? []).map(Number);
}

/**
 * Reads the log back as memory last had it on disk. Every record is replayed in the order of its writing, those at or
 * below the snapshot too: an overwrite there cuts off what stood above it (etcd-io/etcd 22442: skipping it resurrects
 * the truncated tail). Only then is the result cut to the snapshot.
 */
export async function recoverWal(
  disk: Disk,
  dir: string,
  sequences: readonly number[],
  snapshot: LogPosition,
  logger: Logger,
): Promise<RecoveredWal> {
  // A crash while old files were deleted may leave some of them; what counts is the unbroken run at the end.
  let start = sequences.length - 1;
  while (start > 0 && (sequences[start - 1] ?? 0) + 1 === sequences[start]) start--;
  const run = sequences.slice(Math.max(start, 0));
  const replay = new Replay(dir);
  const files: WalFile[] = [];
  for (const sequence of run) {
    files.push(await replayFile(disk, dir, sequence, sequence === run.at(-1), replay, logger));
  }
  const entries = replay.entriesAbove(snapshot);
  return { files, hardState: replay.hardState, entries: entries ?? [], isDetached: entries === undefined };
}

async function replayFile(
  disk: Disk,
  dir: string,
  sequence: number,
  isLast: boolean,
  replay: Replay,
  logger: Logger,
): Promise<WalFile> {
  const path = `${dir}/${walName(sequence)}`;
  const file = await disk.open(path);
  try {
    const bytes = await file.read(0, await file.size());
    let position = 0;
    let lastPosition = 0;
    let maxIndex = 0;
    for (;;) {
      const frame = decodeFrame(bytes, sequence, position);
      if (!frame) break;
      for (const record of frame.records) maxIndex = Math.max(maxIndex, replay.add(record));
      lastPosition = position;
      position = frame.end;
    }
    if (position < bytes.length) {
      // Each file is synced whole before the next is begun, and each round before the next: only the last frame of the
      // last file can be torn. Anything else is damage, and cutting it off could undo what was promised.
      const isTorn = isLast && !hasFrameBehind(bytes, sequence, position) && isTornFrame(bytes, position);
      if (!isTorn) {
        throw new RaftError(
          'RAFT_LOG_CORRUPT',
          `${path} is damaged at byte ${position} in a way that no crash explains`,
        );
      }
      logger.warn(
        { path, position, lostBytes: bytes.length - position },
        'Cut a torn tail off the quorum log',
      );
      await file.truncate(position);
    }
    // After a mere kill this was read from the page cache: it must be on the disk before anybody relies on it. If a
    // sync had failed, the cache counts the last frame as written (ATC'20): only writing it again makes the sync do it.
    if (isLast) {
      await file.write(lastPosition, [bytes.subarray(lastPosition, position)]);
      await file.sync();
    }
    return { sequence, sizeBytes: position, maxIndex };
  } finally {
    await file.close();
  }
}

/** The log in memory, rebuilt record by record. */
class Replay {
  hardState: HardState = { epoch: 0, votedFor: undefined };
  readonly #dir: string;
  #base: { readonly index: number; readonly epoch: number | undefined } | undefined;
  #entries: Entry[] = [];

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Returns the highest index that the record speaks of. */
  add(record: WalRecord): number {
    if (record.kind === 'hardState') {
      if (record.hardState.epoch < this.hardState.epoch)
        this.#fail(`the epoch goes back to ${record.hardState.epoch}`);
      this.hardState = record.hardState;
      return 0;
    }
    if (record.kind === 'reset') {
      this.#base = { index: record.index, epoch: record.epoch };
      this.#entries = [];
      return record.index;
    }
    const { entry } = record;
    if (!this.#base || entry.index <= this.#base.index) {
      this.#base = { index: entry.index - 1, epoch: undefined };
      this.#entries = [];
    }
    const last = this.#base.index + this.#entries.length;
    if (entry.index > last + 1) this.#fail(`entry ${entry.index} follows entry ${last}`);
    this.#entries.length = entry.index - this.#base.index - 1;
    this.#entries.push(entry);
    return entry.index;
  }

  /** The entries above a snapshot; undefined when the log does not lead up to it. */
  entriesAbove(snapshot: LogPosition): Entry[] | undefined {
    const newest = Math.max(snapshot.epoch ?? 0, this.#entries.at(-1)?.epoch ?? 0);
    // Written first, and so kept by every crash: without it this node might vote twice in an epoch.
    if (newest > this.hardState.epoch)
      this.#fail(`it holds epoch ${newest}, above the ${this.hardState.epoch} that is noted for votes`);
    const base = this.#base;
    if (!base) return [];
    if (base.index > snapshot.index) {
      this.#fail(`the log begins behind ${base.index}, but the newest snapshot ends at ${snapshot.index}`);
    }
    const at = snapshot.index - base.index;
    const epoch = at === 0 ? (base.epoch ?? snapshot.epoch) : this.#entries[at - 1]?.epoch;
    // The snapshot came from a leader, and the process died before the log said so: the log is short, or a branch that
    // was never committed.
    return epoch === snapshot.epoch ? this.#entries.slice(at) : undefined;
  }

  #fail(what: string): never {
    throw new RaftError('RAFT_LOG_CORRUPT', `the quorum log in ${this.#dir} contradicts itself: ${what}`);
  }
}
