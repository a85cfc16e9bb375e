import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RealNode } from '../nemesis/real-node.ts';
import { anyNode, type FaultContext } from './fault.ts';

/**
 * The one that is damaged already, until it was wiped: nobody reads old segments before he must, and what slumbers there on
 * one node must not meet damage on the others.
 */
export const nodeToDamage = (context: FaultContext): RealNode =>
  context.cluster.nodes.find(({ isDamaged }) => isDamaged) ?? anyNode(context);

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
