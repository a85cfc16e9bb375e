/**
 * `make profile`: drives large record batches through three real nodes and prints where the CPU of the one that works
 * most goes. It is the proof that brokers pass bulk bytes on as they are: whatever copies or decodes would stand here.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';

const NODES = 3;
const RECORDS = 200_000;
const VALUE_BYTES = 2_000;
const BATCH_BYTES = 500_000;
const CHUNK = 1_000;
const ROWS = 20;

interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const dir = mkdtempSync(join(tmpdir(), 'odradek-profile-'));
process.execArgv.push('--cpu-prof', `--cpu-prof-dir=${dir}/profiles`);
const cluster = LocalCluster.create(dir, { nodes: NODES, basePort: await freeBasePort(NODES) });
try {
  await cluster.up();
  await pump(new Odradek({ bootstrap: cluster.bootstrap }));
  await cluster.down();
  const profiles = readdirSync(`${dir}/profiles`).map((name) => read(join(dir, 'profiles', name)));
  const busiest = profiles.reduce((most, next) => (busyOf(next) > busyOf(most) ? next : most));
  print(busiest);
} finally {
  await Promise.all(cluster.nodes.map((node) => node.end('kill')));
  rmSync(dir, { recursive: true, force: true });
}

async function pump(client: Odradek): Promise<void> {
  await client.admin().createTopic({ name: 'bulk', partitions: 6, replicationFactor: NODES });
  const producer = client.producer({ batchBytes: BATCH_BYTES });
  const value = new Uint8Array(VALUE_BYTES).fill(1);
  for (let sent = 0; sent < RECORDS; sent += CHUNK) {
    await producer.ready();
    producer
      .sendMany(Array.from({ length: CHUNK }, () => ({ topic: 'bulk', value })))
      .catch((error: unknown) => {
        throw error;
      });
  }
  await producer.flush();
  const consumer = client.consumer({ group: 'bulk', autoOffsetReset: 'earliest' });
  consumer.subscribe('bulk');
  for (let read = 0; read < RECORDS; ) read += (await consumer.poll(1_000)).length;
  await client.close();
}

/** Milliseconds of CPU by function, idle time left out. */
function read(path: string): Map<string, number> {
  const profile = JSON.parse(readFileSync(path, 'utf8')) as CpuProfile;
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url } }) => [
      id,
      `${functionName || '(anonymous)'}  ${url.split('/').slice(-2).join('/')}`,
    ]),
  );
  const byFunction = new Map<string, number>();
  profile.samples.forEach((id, index) => {
    const name = names.get(id) ?? '';
    if (name.startsWith('(idle)')) return;
    byFunction.set(name, (byFunction.get(name) ?? 0) + (profile.timeDeltas[index] ?? 0) / 1000);
  });
  return byFunction;
}

function busyOf(byFunction: Map<string, number>): number {
  return [...byFunction.values()].reduce((sum, ms) => sum + ms, 0);
}

function print(byFunction: Map<string, number>): void {
  const busyMs = busyOf(byFunction);
  const megabytes = Math.round((RECORDS * VALUE_BYTES) / 1e6);
  console.log(
    `${megabytes} MB produced to three replicas and consumed; the busiest node took ${Math.round(busyMs)} ms of CPU:`,
  );
  const rows = [...byFunction].sort(([, a], [, b]) => b - a).slice(0, ROWS);
  for (const [name, ms] of rows) console.log(`${((100 * ms) / busyMs).toFixed(1).padStart(6)} %  ${name}`);
}
