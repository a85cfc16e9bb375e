/** What a node's `log/` folder says of itself, read without changing anything. */

import { decodeOffsets, type OffsetsCheckpoint } from '../../log/checkpoint-format.ts';
import { readIfExists } from '../../log/file-helpers.ts';
import { FilePool } from '../../log/file-pool.ts';
import { LogFiles } from '../../log/log-files.ts';
import type { Disk } from '../../platform/ports.ts';

/** One partition's folder. */
export interface PartitionFolder {
  readonly topicId: string;
  readonly partition: number;
  readonly path: string;
  readonly checkpoint: OffsetsCheckpoint | undefined;
}

export interface LogFolder {
  /** In the order of topic ids and partitions. */
  readonly partitions: readonly PartitionFolder[];
  /** The offsets checkpoint cannot be read: the next start will scan every log. */
  readonly isCheckpointDamaged: boolean;
  /** The machine started anew since the log was open: unsynced writes may be there in part. */
  readonly pageCacheLost: boolean;
}

const FOLDER_NAME = /^([\w-]{22})-(\d+)$/;
const SEGMENT_NAME = /^(\d{20})\.log$/;
const SNAPSHOT_NAME = /^(\d{20})\.snapshot$/;
const OPEN_FILES_MAX = 4;

export async function readLogFolder(disk: Disk, dir: string): Promise<LogFolder> {
  const checkpointBytes = await readIfExists(disk, `${dir}/offsets-checkpoint`);
  const entries = checkpointBytes && decodeOffsets(checkpointBytes);
  const checkpoints = new Map(entries?.map((entry) => [entry.name, entry]));
  const bootId = await readIfExists(disk, `${dir}/.boot`);
  const partitions = (await disk.readDir(dir)).flatMap((name): PartitionFolder[] => {
    const [, topicId, partition] = FOLDER_NAME.exec(name) ?? [];
    if (topicId === undefined) return [];
    const path = `${dir}/${name}`;
    return [{ topicId, partition: Number(partition), path, checkpoint: checkpoints.get(name) }];
  });
  return {
    partitions: partitions.sort((a, b) =>
      a.topicId === b.topicId ? a.partition - b.partition : a.topicId < b.topicId ? -1 : 1,
    ),
    isCheckpointDamaged: checkpointBytes !== undefined && entries === undefined,
    pageCacheLost: bootId === undefined || new TextDecoder().decode(bootId) !== (await disk.bootId()),
  };
}

/** Base offsets of the segments, and the offsets of the producer snapshots, in a partition's folder. */
export async function listPartition(
  disk: Disk,
  path: string,
): Promise<{ readonly segments: number[]; readonly snapshots: number[] }> {
  const names = await disk.readDir(path);
  const offsets = (pattern: RegExp) => names.flatMap((name) => pattern.exec(name)?.[1] ?? []).map(Number);
  return { segments: offsets(SEGMENT_NAME), snapshots: offsets(SNAPSHOT_NAME) };
}

/** Works on the files of one partition, and closes them. */
export async function withFiles<T>(
  disk: Disk,
  path: string,
  work: (files: LogFiles) => Promise<T>,
): Promise<T> {
  const pool = new FilePool(disk, OPEN_FILES_MAX, () => {});
  try {
    return await work(new LogFiles(disk, pool, path));
  } finally {
    await pool.close();
  }
}

export function fileName(offset: number, suffix: string): string {
  return `${String(offset).padStart(20, '0')}${suffix}`;
}
