/** What a node's `raft/` folder holds, read without changing anything. */

import { readIfExists } from '../../log/file-helpers.ts';
import { MetadataImage } from '../../metadata/image.ts';
import { decodeRecords } from '../../metadata/records.ts';
import { decodeSnapshot } from '../../metadata/snapshot.ts';
import { asError } from '../../platform/as-error.ts';
import type { Disk } from '../../platform/ports.ts';
import { listSnapshots, readSnapshot, type SnapshotHeader, snapshotName } from '../../raft/snapshot-file.ts';
import type { Entry } from '../../raft/types.ts';
import { walName, walSequences } from '../../raft/wal-recovery.ts';
import { isMissing } from './read-only-disk.ts';
import { type WalStretch, walkWal } from './wal-walk.ts';

export interface ReadSnapshot {
  readonly path: string;
  readonly index: number;
  /** Undefined when the file is damaged; `problem` tells how. */
  readonly content: { readonly header: SnapshotHeader; readonly data: Uint8Array } | undefined;
  readonly problem: string;
}

export interface ReadWal {
  readonly path: string;
  readonly sizeBytes: number;
  readonly stretches: readonly WalStretch[];
}

export interface RaftFolder {
  /** Oldest first. */
  readonly snapshots: readonly ReadSnapshot[];
  readonly wal: readonly ReadWal[];
}

/** The quorum's log is a few dozen megabytes at most, so it is read whole. */
export async function readRaftFolder(disk: Disk, dir: string): Promise<RaftFolder> {
  const snapshots: ReadSnapshot[] = [];
  for (const index of await listSnapshots(disk, dir)) {
    const path = `${dir}/${snapshotName(index)}`;
    try {
      snapshots.push({ path, index, content: await readSnapshot(disk, dir, index), problem: '' });
    } catch (error) {
      if (!isMissing(error))
        snapshots.push({ path, index, content: undefined, problem: asError(error).message });
    }
  }
  const wal: ReadWal[] = [];
  for (const sequence of walSequences(await disk.readDir(dir))) {
    const path = `${dir}/${walName(sequence)}`;
    const bytes = await readIfExists(disk, path);
    // A running node deletes files that a snapshot covers.
    if (bytes) wal.push({ path, sizeBytes: bytes.length, stretches: [...walkWal(bytes, sequence)] });
  }
  return { snapshots, wal };
}

/**
 * The metadata as of the last entry on this disk, which may not be committed (yet); as far as it can be read: a damaged
 * place ends it.
 */
export function imageOf({ snapshots, wal }: RaftFolder): MetadataImage {
  const content = snapshots.at(-1)?.content;
  let image = MetadataImage.EMPTY;
  let index = 0;
  try {
    if (content && content.data.length > 0) image = decodeSnapshot(content.data, content.header.index);
    index = content?.header.index ?? 0;
    const entries = entriesOf(wal);
    for (let entry = entries.get(index + 1); entry; entry = entries.get(index + 1)) {
      image = image.apply(decodeRecords(entry.payload), entry.index);
      index = entry.index;
    }
  } catch {
    // What cannot be decoded is reported where the dump meets it.
  }
  return image;
}

/** The entries by index: one that is written again replaces the old one and all behind it (Raft 5.3). */
function entriesOf(wal: readonly ReadWal[]): Map<number, Entry> {
  const entries = new Map<number, Entry>();
  let last = 0;
  for (const { stretches } of wal) {
    for (const record of stretches.flatMap(({ records }) => records ?? [])) {
      if (record.kind === 'reset') {
        entries.clear();
        last = record.index;
      }
      if (record.kind !== 'entry') continue;
      for (let index = record.entry.index; index <= last; index++) entries.delete(index);
      last = record.entry.index;
      entries.set(last, record.entry);
    }
  }
  return entries;
}
