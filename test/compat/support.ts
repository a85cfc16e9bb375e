import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';

/** Three node processes of the built program (`make build`), on free ports, with their data in a temporary folder. */
export interface CompatCluster {
  readonly local: LocalCluster;
  /** For our own client. */
  readonly bootstrap: string;
  /** For Kafka's: `host:port,host:port,...` */
  readonly kafka: string;
  readonly client: Odradek;
  stop(): Promise<void>;
}

export async function startCluster(nodes = 3): Promise<CompatCluster> {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-compat-'));
  const local = LocalCluster.create(dir, { nodes, basePort: await freeBasePort(nodes) });
  const remove = () => rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
  try {
    await local.up();
  } catch (error) {
    await local.down();
    remove();
    throw error;
  }
  const client = new Odradek({ bootstrap: local.bootstrap });
  return {
    local,
    bootstrap: local.bootstrap,
    kafka: local.kafkaBootstrap,
    client,
    stop: async () => {
      await client.close();
      await local.down();
      remove();
    },
  };
}

/** The node that leads a partition. */
export async function leaderOf({ client, local }: CompatCluster, topic: string, partition = 0) {
  const [described] = await client.admin().describeTopics([topic]);
  return local.node(described?.partitions[partition]?.leader ?? -1);
}

export const hasKcat = spawnSync('kcat', ['-V']).status === 0;

interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; `input` goes to its standard input. */
export function run(
  command: string,
  args: readonly string[],
  input: string | Buffer = '',
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (status) => {
      const [out, err] = [stdout, stderr].map((chunks) => Buffer.concat(chunks).toString());
      resolve({ status, stdout: out ?? '', stderr: err ?? '' });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
