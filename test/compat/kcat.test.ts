import { spawn } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bytes } from '../../src/client/index.ts';
import { type CompatCluster, hasKcat, leaderOf, run, startCluster } from './support.ts';

// Debian's kcat, unmodified, against three node processes.
const kcatTest = test.skipIf(!hasKcat);
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
const LINES = Array.from({ length: 500 }, (_, index) => `line ${index} ${'x'.repeat(index % 50)}`);

let cluster: CompatCluster;
beforeAll(async () => {
  if (hasKcat) cluster = await startCluster();
}, 60_000);
afterAll(() => cluster?.stop());

const kcat = (args: readonly string[], input?: string) => run('kcat', ['-b', cluster.kafka, ...args], input);

/** What kcat reads of a partition, up to its end, in a format of its own. */
async function consume(topic: string, format: string, ...args: string[]): Promise<string[]> {
  const { stdout, stderr, status } = await kcat(['-C', '-t', topic, '-e', '-q', '-f', format, ...args]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  return stdout.trimEnd().split('\n').filter(Boolean);
}

async function produce(topic: string, lines: readonly string[], ...args: string[]): Promise<void> {
  const { stderr, status } = await kcat(['-P', '-t', topic, ...args], `${lines.join('\n')}\n`);
  expect(stderr).toBe('');
  expect(status).toBe(0);
}

/** What our own client reads of partition 0, up to its end. */
async function readOverWebSocket(topic: string, count: number) {
  const consumer = cluster.client.consumer({ key: bytes, value: bytes });
  await consumer.assign([{ topic, partition: 0 }]);
  await consumer.seekToBeginning();
  const records = [];
  while (records.length < count) records.push(...(await consumer.poll(1000)));
  await consumer.close();
  return records;
}

const create = (name: string) => cluster.client.admin().createTopic({ name, replicationFactor: 3 });

const text = (value: Uint8Array | null | undefined) => (value ? Buffer.from(value).toString() : null);

kcatTest('lists the brokers and the partitions of a topic (needs kcat)', async () => {
  await cluster.client.admin().createTopic({ name: 'listed', partitions: 2, replicationFactor: 3 });
  const { stdout } = await kcat(['-L', '-J', '-t', 'listed']);
  const { brokers, topics } = JSON.parse(stdout);
  expect(brokers.map(({ name }: { name: string }) => name).sort()).toEqual(cluster.kafka.split(',').sort());
  expect(topics[0].partitions).toHaveLength(2);
  expect(topics[0].partitions[0].isrs).toHaveLength(3);
});

kcatTest.each(CODECS)(
  'what it writes with %s our client reads, and the reverse (needs kcat)',
  async (codec) => {
    const topic = `codec-${codec}`;
    await produce(topic, LINES, '-z', codec, '-K', ' ', '-H', 'from=kcat');
    const records = await readOverWebSocket(topic, LINES.length);
    expect(records.map(({ key, value }) => `${text(key)} ${text(value)}`)).toEqual(LINES);
    expect(records[0]?.headers).toMatchObject([{ key: 'from' }]);
    expect(text(records[0]?.headers[0]?.value)).toBe('kcat');

    await create(`${topic}-back`);
    const producer = cluster.client.producer({ key: bytes, value: bytes, compression: codec });
    const sent = LINES.map((line) =>
      producer.send({
        topic: `${topic}-back`,
        partition: 0,
        key: Buffer.from('k'),
        value: Buffer.from(line),
      }),
    );
    await producer.flush();
    await Promise.all(sent);
    await producer.close();
    expect(await consume(`${topic}-back`, '%k %s\n')).toEqual(LINES.map((line) => `k ${line}`));
  },
);

kcatTest.each(['0', '1', 'all'])(
  'writes with acks=%s, also to a topic that is not there yet (needs kcat)',
  async (acks) => {
    const topic = `acks-${acks}`;
    await produce(topic, ['first', 'second'], '-X', `acks=${acks}`);
    await expect.poll(() => consume(topic, '%s\n')).toEqual(['first', 'second']);
  },
);

kcatTest('writes idempotently (needs kcat)', async () => {
  await produce('idempotent', LINES, '-X', 'enable.idempotence=true');
  expect(await consume('idempotent', '%s\n')).toEqual(LINES);
});

kcatTest(
  'reads from any offset, tail and timestamp, inside compressed batches too (needs kcat)',
  async () => {
    await create('times');
    const producer = cluster.client.producer({ compression: 'gzip' });
    const sent = Array.from({ length: 100 }, (_, index) =>
      producer.send({ topic: 'times', partition: 0, value: `${index}`, timestamp: 1_000_000 + index * 10 }),
    );
    await producer.flush();
    await Promise.all(sent);
    await producer.close();
    const numbers = (from: number, to = 100) =>
      Array.from({ length: to - from }, (_, index) => `${from + index}`);
    expect(await consume('times', '%s\n')).toEqual(numbers(0));
    expect(await consume('times', '%o\n', '-o', '40')).toEqual(numbers(40));
    expect(await consume('times', '%s\n', '-o', '-5')).toEqual(numbers(95));
    expect(await consume('times', '%s\n', '-o', 's@1000505')).toEqual(numbers(51));
    expect(await consume('times', '%T\n', '-o', 's@1000990')).toEqual(['1000990']);
    expect(await consume('times', '%s\n', '-o', 's@1000100', '-o', 'e@1000150')).toEqual(numbers(10, 15));
    const { stdout } = await kcat(['-Q', '-t', 'times:0:1000500']);
    expect(stdout).toContain('offset 50');
  },
);

kcatTest('is told what is wrong (needs kcat)', async () => {
  const invalid = await kcat(['-P', '-t', 'bad/name'], 'x\n');
  expect(invalid).toMatchObject({ status: 1, stderr: expect.stringContaining('Invalid topic') });
  const large = await kcat(
    ['-P', '-t', 'acks-all', '-X', 'message.max.bytes=5000000'],
    'x'.repeat(2_000_000),
  );
  expect(large).toMatchObject({ status: 1, stderr: expect.stringContaining('Message size too large') });
  const beyond = await kcat(['-C', '-t', 'times', '-e', '-o', '999', '-X', 'auto.offset.reset=error']);
  expect(beyond.stderr).toContain('Offset out of range');
  const transaction = await kcat(['-P', '-t', 'acks-all', '-X', 'transactional.id=x'], 'x\n');
  expect(transaction.stderr).toContain('transactions are not supported');
  const group = await kcat(['-G', 'g', 'acks-all']);
  expect(group.stderr).toContain('feature not supported by broker');
});

kcatTest(
  'neither loses nor repeats a record when the leader is killed under it (needs kcat)',
  async () => {
    const topic = 'failover';
    await create(topic);
    const consumer = spawn('kcat', ['-b', cluster.kafka, '-C', '-t', topic, '-q', '-u'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let read = '';
    consumer.stdout.on('data', (chunk: Buffer) => {
      read += chunk.toString();
    });
    const producer = spawn('kcat', [
      '-b',
      cluster.kafka,
      '-P',
      '-t',
      topic,
      '-X',
      'enable.idempotence=true',
      '-X',
      'linger.ms=1',
    ]);
    const ended = new Promise((resolve) => producer.on('close', resolve));
    try {
      // kcat takes its input in chunks, so there must be plenty of it.
      const lines = Array.from({ length: 100_000 }, (_, index) => `line ${index}`);
      producer.stdin.write(`${lines.slice(0, 50_000).join('\n')}\n`);
      await expect.poll(() => read.length, { timeout: 10_000 }).toBeGreaterThan(0);
      const leader = await leaderOf(cluster, topic);
      await leader.end('kill');
      producer.stdin.end(`${lines.slice(50_000).join('\n')}\n`);
      expect(await ended).toBe(0);
      await expect.poll(() => read.split('\n').length - 1, { timeout: 20_000 }).toBe(lines.length);
      expect(read === `${lines.join('\n')}\n`).toBe(true);
      await cluster.local.start(leader.id);
    } finally {
      consumer.kill();
      producer.kill();
    }
  },
  60_000,
);
