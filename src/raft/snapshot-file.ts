import type { Disk } from '../platform/ports.ts';
import { crc32c } from '../protocol/crc32c.ts';
import { RaftError } from './errors.ts';
import type { SnapshotMeta, Voter } from './types.ts';

/**
 * A snapshot file: `u32 crc32c of the header | u32 headerBytes | header | data`. The header is JSON (it is small, and
 * worth reading by eye): what the data stands for, who votes as of its index, and the cluster's id, which holds for
 * good. The very first one, at index 0 and without data, is how a node joins a cluster.
 */
export interface SnapshotHeader extends SnapshotMeta {
  readonly clusterId: string;
}

const decoder = new TextDecoder();
const FIXED_BYTES = 8;
const HEADER_BYTES_MAX = 1024 * 1024;
const SUFFIX = '.snapshot';

/** Names sort by index. */
export const snapshotName = (index: number): string => `${String(index).padStart(16, '0')}${SUFFIX}`;

/** Writes a snapshot so that it is there whole, or not at all: temporary file, sync, rename, sync of the folder. */
export async function writeSnapshot(
  disk: Disk,
  dir: string,
  header: SnapshotHeader,
  data: readonly Uint8Array[],
): Promise<void> {
  // Releases before version 3 of the catalogue look for the voters there.
  const { voters } = header.voterSet;
  const text = new TextEncoder().encode(JSON.stringify({ ...header, voters }));
  const fixed = new Uint8Array(FIXED_BYTES);
  const view = new DataView(fixed.buffer);
  view.setUint32(0, crc32c(text));
  view.setUint32(4, text.length);
  const path = `${dir}/${snapshotName(header.index)}`;
  const temporary = `${path}.tmp`;
  await disk.remove(temporary);
  const file = await disk.open(temporary, { create: true });
  try {
    await file.write(0, [fixed, text, ...data]);
    await file.sync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDir(dir);
}

/** Indexes of the snapshots in a folder, ascending. */
export async function listSnapshots(disk: Disk, dir: string): Promise<number[]> {
  const names = await disk.readDir(dir);
  return names.filter((name) => name.endsWith(SUFFIX)).map((name) => Number.parseInt(name, 10));
}

/** Reads and checks a whole snapshot; one that is damaged is never passed over for an older one. */
export async function readSnapshot(
  disk: Disk,
  dir: string,
  index: number,
): Promise<{ readonly header: SnapshotHeader; readonly data: Uint8Array }> {
  const path = `${dir}/${snapshotName(index)}`;
  const file = await disk.open(path);
  try {
    const { header, dataStart } = await readHeader(file, path);
    const data = await file.read(dataStart, header.sizeBytes);
    if (data.length !== header.sizeBytes || crc32c(data) !== header.crc) {
      throw new RaftError(
        'RAFT_LOG_CORRUPT',
        `snapshot ${path} is damaged: its data does not match its checksum`,
      );
    }
    return { header, data };
  } finally {
    await file.close();
  }
}

/** Reads a part of a snapshot's data. */
export async function readSnapshotChunk(
  disk: Disk,
  dir: string,
  index: number,
  position: number,
  lengthBytes: number,
): Promise<Uint8Array> {
  const path = `${dir}/${snapshotName(index)}`;
  const file = await disk.open(path);
  try {
    const { dataStart } = await readHeader(file, path);
    return await file.read(dataStart + position, lengthBytes);
  } finally {
    await file.close();
  }
}

async function readHeader(
  file: { read(position: number, length: number): Promise<Uint8Array> },
  path: string,
): Promise<{ readonly header: SnapshotHeader; readonly dataStart: number }> {
  const fixed = await file.read(0, FIXED_BYTES);
  const damaged = () =>
    new RaftError('RAFT_LOG_CORRUPT', `snapshot ${path} is damaged: its header cannot be read`);
  if (fixed.length < FIXED_BYTES) throw damaged();
  const view = new DataView(fixed.buffer, fixed.byteOffset, fixed.byteLength);
  const length = view.getUint32(4);
  if (length > HEADER_BYTES_MAX) throw damaged();
  const text = await file.read(FIXED_BYTES, length);
  if (text.length !== length || crc32c(text) !== view.getUint32(0)) throw damaged();
  const { voters = [], ...header }: SnapshotHeader & { voters?: Voter[] } = JSON.parse(decoder.decode(text));
  const voterSet = header.voterSet ?? { voters, vacant: [] };
  return { header: { ...header, voterSet }, dataStart: FIXED_BYTES + length };
}
