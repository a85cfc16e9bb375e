import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The files of a node's data folder with something in them, logs of partitions and of the quorum. */
export function storedFiles(dataDir: string): string[] {
  return readdirSync(dataDir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.includes('/'))
    .map((name) => join(dataDir, name))
    .filter((file) => {
      const stats = statSync(file);
      return stats.isFile() && stats.size > 0;
    })
    .sort();
}

export const isOfQuorum = (file: string): boolean => file.includes('/raft/');
