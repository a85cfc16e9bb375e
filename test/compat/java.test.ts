/** Apache Kafka's own command-line tools, unmodified, against a three-node cluster of real processes. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';
import { hasJava, kafkaClassPath } from './kafka-jars.ts';

const NODES = 3;
const PARTITIONS = 3;
const RECORDS = 20_000;
const RECORD_BYTES = 100;
const FETCH_TIMEOUT_MS = 300_000;

describe.skipIf(!hasJava)("Apache Kafka's tools (needs java and maven)", () => {
  const dir = mkdtempSync(join(tmpdir(), 'odradek-java-'));
  let cluster: LocalCluster;
  let client: Odradek;

  beforeAll(async () => {
    kafkaClassPath();
    cluster = LocalCluster.create(dir, { nodes: NODES, basePort: await freeBasePort(NODES) });
    await cluster.up();
    client = new Odradek({ bootstrap: cluster.bootstrap });
  }, FETCH_TIMEOUT_MS);

  afterAll(async () => {
    await client.close();
    await Promise.all(cluster.nodes.map((node) => node.end('kill')));
    rmSync(dir, { recursive: true, force: true });
  });

  async function tool(name: string, ...args: string[]): Promise<string> {
    const command = ['-cp', kafkaClassPath(), `org.apache.kafka.tools.${name}`];
    const { stdout } = await promisify(execFile)('java', [...command, ...args]);
    return stdout;
  }

  const topicOf = (name: string) =>
    client.admin().createTopic({ name, partitions: PARTITIONS, replicationFactor: NODES });

  function perfTest(topic: string, ...properties: string[]): Promise<string> {
    const amount = ['--num-records', `${RECORDS}`, '--record-size', `${RECORD_BYTES}`, '--throughput', '-1'];
    const config = [`bootstrap.servers=${cluster.kafkaBootstrap}`, ...properties];
    return tool('ProducerPerformance', '--topic', topic, ...amount, '--producer-props', ...config);
  }

  /** Offset by partition. */
  async function getOffsets(topic: string, ...args: string[]): Promise<Map<number, number>> {
    const output = await tool(
      'GetOffsetShell',
      ...['--bootstrap-server', cluster.kafkaBootstrap, '--topic', topic],
      ...args,
    );
    const lines = output.trim().split('\n');
    return new Map(lines.map((line) => [Number(line.split(':').at(-2)), Number(line.split(':').at(-1))]));
  }

  const total = (offsets: ReadonlyMap<number, number>) =>
    [...offsets.values()].reduce((sum, offset) => sum + offset, 0);

  async function readAll(topic: string): Promise<Uint8Array[]> {
    const consumer = client.consumer({ from: 'earliest' });
    consumer.assign(Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition })));
    const values: Uint8Array[] = [];
    while (values.length < RECORDS) {
      for (const { value } of await consumer.poll(10_000)) if (value) values.push(value);
    }
    await consumer.close();
    return values;
  }

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'])(
    'kafka-producer-perf-test with %s: all is acknowledged, counted and read',
    async (compression) => {
      const topic = `perf-${compression}`;
      await topicOf(topic);
      expect(await perfTest(topic, 'acks=all', `compression.type=${compression}`)).toContain(
        `${RECORDS} records sent`,
      );
      const offsets = await getOffsets(topic);
      expect([...offsets.keys()].sort()).toEqual([0, 1, 2]);
      expect(total(offsets)).toBe(RECORDS);
      const values = await readAll(topic);
      expect(values).toHaveLength(RECORDS);
      expect(values.every(({ length }) => length === RECORD_BYTES)).toBe(true);
    },
  );

  test.each(['0', '1'])('kafka-producer-perf-test with acks=%s', async (acks) => {
    const topic = `perf-acks-${acks}`;
    await topicOf(topic);
    await perfTest(topic, `acks=${acks}`, 'enable.idempotence=false');
    expect(await readAll(topic)).toHaveLength(RECORDS);
  });

  test('kafka-get-offsets: earliest, latest, by timestamp and of the largest timestamp', async () => {
    await topicOf('times');
    const producer = client.producer();
    const send = (timestamp: number) =>
      producer.send({ topic: 'times', partition: 0, value: 'x', timestamp });
    for (const timestamp of [1000, 2000, 5000, 3000]) await send(timestamp);
    const at = async (time: string) =>
      (await getOffsets('times', '--partitions', '0', '--time', time)).get(0);
    expect(await at('earliest')).toBe(0);
    expect(await at('latest')).toBe(4);
    expect(await at('1001')).toBe(1);
    expect(await at('max-timestamp')).toBe(2);
    expect(await at('earliest-local')).toBe(0);
  });
});
