import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { string } from '../../../src/client/node.ts';
import type { NodeLog } from '../../checker/history.ts';
import { seenRecord } from '../clients/real-reader.ts';
import { Stuck, type World } from './rest.ts';

const root = resolve(import.meta.dirname, '../../..');
const READ_TIMEOUT_MS = 120_000;

/** Fresh clients read every partition from offset 0; then the nodes stop, and the log of each is read from its disk. */
export async function readFinalState(world: World): Promise<void> {
  const ends = await readAll(world);
  const { cluster, clients } = world;
  await clients.close();
  await Promise.all(cluster.nodes.map((node) => node.stop()));
  for (const node of cluster.nodes) {
    for (const { damage, ...log } of await dumpOf(node.dataDir, world.topic)) {
      if (damage !== undefined) {
        if (!node.isDamaged) throw new Error(`node ${node.id} has damage that nobody did to it: ${damage}`);
        // In a segment that nobody has read since.
        continue;
      }
      const highWatermark = ends.get(log.partition) ?? 0;
      clients.context.recorder.add({ ...log, node: `${node.id}`, highWatermark });
    }
  }
}

/** Returns where each partition ends. */
async function readAll({ cluster, clients, admin, topic }: World): Promise<Map<string, number>> {
  const { partitions, recorder } = clients.context;
  const name = 'final';
  const client = await cluster.client(name);
  const all = Array.from({ length: partitions }, (_, partition) => ({ topic, partition }));
  const ends = await admin.listOffsets(all, 'latest');
  const consumer = client.consumer({ value: string, autoOffsetReset: 'earliest' });
  await consumer.assign(all);
  const deadlineMs = performance.now() + READ_TIMEOUT_MS;
  const positions = new Map<number, number>();
  let left = ends.filter(({ offset }) => offset > 0);
  while (left.length > 0) {
    if (performance.now() > deadlineMs)
      throw new Stuck(
        left.map((at) => `nobody can read ${topic}-${at.partition} up to ${at.offset}`).join('\n'),
      );
    const records = await consumer.poll(1000);
    recorder.add({ type: 'poll', reader: name, isFinal: true, records: records.map(seenRecord) });
    for (const { partition, offset } of records) positions.set(partition, offset + 1);
    left = left.filter(({ partition, offset }) => (positions.get(partition) ?? 0) < offset);
  }
  await client.close();
  return new Map(ends.map(({ partition, offset }) => [`${topic}-${partition}`, offset]));
}

interface DumpedLog {
  readonly type: 'nodeLog';
  readonly partition: string;
  readonly startOffset: number;
  readonly records: NodeLog['records'][number][];
  damage?: string;
}

interface Row {
  readonly type: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly value?: string;
  readonly checkpoint?: { readonly logStartOffset?: number } | null;
}

/** What `odradek log dump` finds on a stopped node. */
async function dumpOf(dataDir: string, topic: string): Promise<DumpedLog[]> {
  const args = ['log', 'dump', '--data-dir', dataDir, '--topic', topic, '--records'];
  const child = spawn(process.execPath, [join(root, 'bin/odradek'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const logs: DumpedLog[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const row = JSON.parse(line) as Row;
    if (row.type === 'partition') {
      const startOffset = row.checkpoint?.logStartOffset ?? 0;
      logs.push({ type: 'nodeLog', partition: `${topic}-${row.partition}`, startOffset, records: [] });
    } else if (row.type === 'record' && row.offset !== undefined) {
      logs.at(-1)?.records.push({ offset: row.offset, value: row.value ?? '' });
    } else if (row.type === 'damage') {
      const log = logs.at(-1);
      if (log) log.damage ??= line;
    }
  }
  const [code] = await exited;
  // 1 tells of damage.
  if (code !== 0 && code !== 1) throw new Error(`odradek log dump --data-dir ${dataDir} exits with ${code}`);
  return logs;
}
