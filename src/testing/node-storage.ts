import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeDisk } from '../platform/disk.ts';
import { MemoryDisk } from '../platform/memory-disk.ts';
import type { Disk } from '../platform/ports.ts';

/** What outlives the lives of one node. */
export interface NodeStorage {
  readonly disk: Disk;
  readonly dir: string;
  /** `dir` is a folder of this machine. */
  readonly isFolder: boolean;
  /** Takes back what was not synced; undefined where that cannot be told apart. */
  readonly powerLoss: (() => void) | undefined;
}

export interface ClusterStorage {
  of(nodeId: number): NodeStorage;
  /** Removes all of it. */
  remove(): Promise<void>;
}

export async function openStorage(kind: 'memory' | 'folder'): Promise<ClusterStorage> {
  if (kind === 'memory') return { of: memory, remove: async () => {} };
  if (kind !== 'folder')
    throw new Error(`storage: the data here is in 'memory' or a 'folder', not '${kind}'`);
  const folder = await mkdtemp(join(tmpdir(), 'odradek-testing-'));
  return {
    of: (nodeId) => ({
      disk: nodeDisk,
      dir: `${folder}/node-${nodeId}`,
      isFolder: true,
      powerLoss: undefined,
    }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

function memory(): NodeStorage {
  const disk = new MemoryDisk();
  return { disk, dir: '/data', isFolder: false, powerLoss: () => disk.powerLoss() };
}
