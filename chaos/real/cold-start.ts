import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';

export interface ColdStart {
  /** From the start of `bin/cluster up` on empty folders to the first acknowledged write to a new topic. */
  readonly firstAckMs: number;
  /** Resident memory of each node, some time after that single write. */
  readonly idleBytes: readonly number[];
}

const NODES = 3;
const IDLE_MS = 15_000;
const BIN = join(import.meta.dirname, '../../../bin/cluster');

/** Starts a three-node cluster as a user does, through `bin/cluster up`. Needs a built `dist/` and Linux's /proc. */
export async function coldStart(): Promise<ColdStart> {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-cold-'));
  const basePort = await freeBasePort(NODES);
  const startedMs = performance.now();
  await promisify(execFile)(process.execPath, [BIN, 'up', '--dir', dir, '--base-port', `${basePort}`]);
  const cluster = LocalCluster.open(dir, { nodes: NODES, basePort });
  try {
    const client = new Odradek({ bootstrap: cluster.bootstrap });
    await client.admin().createTopic({ name: 'first', partitions: 1, replicationFactor: NODES });
    await client.producer().send({ topic: 'first', value: 'write' });
    const firstAckMs = performance.now() - startedMs;
    await client.close();
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    return { firstAckMs, idleBytes: cluster.nodes.map(({ pid }) => residentBytes(pid ?? 0)) };
  } finally {
    await Promise.all(cluster.nodes.map((node) => node.end('kill')));
    rmSync(dir, { recursive: true, force: true });
  }
}

function residentBytes(pid: number): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1] ?? 0) * 1024;
}
