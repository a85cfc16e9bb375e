/**
 * `make bench [RECORDS=1000000]`: how many records of 100 bytes this client produces with acks=all to three replicas on
 * three real nodes, all on this machine, and how many it consumes. Beside each figure stands what one core of this
 * machine does, in the same run, when it builds, checksums and opens the same batches and nothing else.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';
import { verifyBatch } from '../../src/protocol/record-batch.ts';
import { RecordBatchBuilder } from '../../src/protocol/record-batch-builder.ts';
import { decodeRecords } from '../../src/protocol/record-decoder.ts';

const NODES = 3;
const PARTITIONS = 6;
const VALUE_BYTES = 100;
const BATCH_BYTES = 65_536;
const CHUNK = 500;
const LIMIT_ROUNDS = 400;
const COMPRESSIONS = ['none', 'lz4', 'zstd'] as const;
const GOALS = { produce: 150_000, consume: 300_000 };
const records = Number(process.argv[2] ?? 1_000_000);
const value = new TextEncoder().encode(
  'a spool of thread rolls down the stairs '.repeat(3).slice(0, VALUE_BYTES),
);

const dir = mkdtempSync(join(tmpdir(), 'odradek-throughput-'));
const cluster = LocalCluster.create(dir, { nodes: NODES, basePort: await freeBasePort(NODES) });
process.on('exit', () => {
  for (const node of cluster.nodes) node.signal('SIGKILL');
  rmSync(dir, { recursive: true, force: true, maxRetries: 20 });
});
await cluster.up();
await using client = new Odradek({ bootstrap: cluster.bootstrap });
const limit = machineLimit();
const rows: [what: string, perSecond: number, ofLimit: number][] = [];
for (const compression of COMPRESSIONS) {
  const topic = `bench-${compression}`;
  const configs = { 'min.insync.replicas': '2' };
  await client
    .admin()
    .createTopic({ name: topic, partitions: PARTITIONS, replicationFactor: NODES, configs });
  await produce(topic, compression, records / 10);
  const produced = await produce(topic, compression, records);
  rows.push([`produced, ${compression}, sendMany of ${CHUNK}`, produced, produced / limit.built]);
  const consumed = await consume(topic, records);
  rows.push([`consumed, ${compression}, poll`, consumed, consumed / limit.opened]);
}
const single = await produceSingly('bench-none', records);
rows.push(['produced, none, one promise each', single, single / limit.built]);
const iterated = await iterate('bench-none', records);
rows.push(['consumed, none, for await', iterated, iterated / limit.opened]);

const figure = (perSecond: number) => Math.round(perSecond).toLocaleString('en').padStart(10);
console.log(
  `${records} records of ${VALUE_BYTES} bytes, ${PARTITIONS} partitions of three replicas, acks=all`,
);
console.log(`${'one core alone builds'.padEnd(36)} ${figure(limit.built)} /s`);
console.log(`${'one core alone opens'.padEnd(36)} ${figure(limit.opened)} /s`);
for (const [what, perSecond, share] of rows) {
  console.log(
    `${what.padEnd(36)} ${figure(perSecond)} /s  ${(100 * share).toFixed(0).padStart(3)} % of that`,
  );
}
const [[, produced] = ['', 0], [, consumed] = ['', 0]] = rows;
console.log(`goals: ${GOALS.produce} produced, ${GOALS.consume} consumed`);
if (produced < GOALS.produce || consumed < GOALS.consume) process.exitCode = 1;

/** Records that one core builds into batches, and opens again, in a second. */
function machineLimit(): { built: number; opened: number } {
  const batch = () => {
    const builder = new RecordBatchBuilder({ sizeBytesMax: BATCH_BYTES });
    for (let i = 0; builder.tryAppend({ timestamp: 1_700_000_000_000 + i, key: null, value }); i++);
    return builder.build();
  };
  for (let i = 0; i < LIMIT_ROUNDS / 4; i++) decodeRecords(batch());
  const startMs = performance.now();
  const batches = Array.from({ length: LIMIT_ROUNDS }, batch);
  const builtMs = performance.now();
  let opened = 0;
  for (const each of batches) {
    verifyBatch(each);
    opened += decodeRecords(each).length;
  }
  const openedMs = performance.now();
  return { built: (opened / (builtMs - startMs)) * 1000, opened: (opened / (openedMs - builtMs)) * 1000 };
}

async function produce(
  topic: string,
  compression: (typeof COMPRESSIONS)[number],
  count: number,
): Promise<number> {
  await using producer = client.producer({ compression });
  const chunk = Array.from({ length: CHUNK }, () => ({ topic, value }));
  const startMs = performance.now();
  for (let sent = 0; sent < count; sent += CHUNK) {
    await producer.ready();
    producer.sendMany(chunk).catch(fail);
  }
  await producer.flush();
  return perSecond(count, startMs);
}

async function produceSingly(topic: string, count: number): Promise<number> {
  await using producer = client.producer();
  const startMs = performance.now();
  for (let sent = 0; sent < count; sent++) {
    if (sent % CHUNK === 0) await producer.ready();
    producer.send({ topic, value }).catch(fail);
  }
  await producer.flush();
  return perSecond(count, startMs);
}

function partitionsOf(topic: string): { topic: string; partition: number }[] {
  return Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
}

async function consume(topic: string, count: number): Promise<number> {
  await using consumer = client.consumer({ from: 'earliest', pollRecordsMax: 5_000 });
  const startMs = performance.now();
  await consumer.assign(partitionsOf(topic));
  for (let read = 0; read < count; ) read += (await consumer.poll(1_000)).length;
  return perSecond(count, startMs);
}

async function iterate(topic: string, count: number): Promise<number> {
  await using consumer = client.consumer({ from: 'earliest' });
  const startMs = performance.now();
  await consumer.assign(partitionsOf(topic));
  let read = 0;
  for await (const _ of consumer) if (++read >= count) break;
  return perSecond(count, startMs);
}

function perSecond(count: number, startMs: number): number {
  return (count / (performance.now() - startMs)) * 1000;
}

function fail(error: unknown): never {
  throw error;
}
