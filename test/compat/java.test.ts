/** Apache Kafka's own command-line tools, unmodified, against a three-node cluster of real processes. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';
import { LocalCluster } from '../../src/cli/cluster/local-cluster.ts';
import { Odradek } from '../../src/client/node.ts';
import { hasJava, kafkaClassPath } from './kafka-jars.ts';
import { run } from './support.ts';

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

  const java = (mainClass: string, args: readonly string[], input = '') =>
    run('java', ['-cp', kafkaClassPath(), mainClass, ...args], input);

  async function tool(name: string, ...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await java(`org.apache.kafka.tools.${name}`, args);
    if (status !== 0) throw new Error(`${name}: ${stdout}${stderr}`);
    return stdout;
  }

  const toServer = () => ['--bootstrap-server', cluster.kafkaBootstrap];

  const topicOf = (name: string) =>
    client.admin().createTopic({ name, partitions: PARTITIONS, replicationFactor: NODES });

  function perfTest(topic: string, ...properties: string[]): Promise<string> {
    const amount = ['--num-records', `${RECORDS}`, '--record-size', `${RECORD_BYTES}`, '--throughput', '-1'];
    const config = [`bootstrap.servers=${cluster.kafkaBootstrap}`, ...properties];
    return tool('ProducerPerformance', '--topic', topic, ...amount, '--producer-props', ...config);
  }

  /** Offset by partition. */
  async function getOffsets(topic: string, ...args: string[]): Promise<Map<number, number>> {
    const output = await tool('GetOffsetShell', ...[...toServer(), '--topic', topic], ...args);
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

  test('kafka-topics creates, lists, describes and deletes; kafka-configs shows what was set', async () => {
    const topics = (...args: string[]) => tool('TopicCommand', ...toServer(), ...args);
    const shape = ['--partitions', '2', '--replication-factor', '3', '--config', 'retention.ms=1234567'];
    await topics('--create', '--topic', 'by-java', ...shape);
    expect((await topics('--list')).split('\n')).toContain('by-java');
    // There is no DescribeTopicPartitions: it goes by Metadata.
    const described = await topics('--describe', '--topic', 'by-java');
    expect(described).toMatch(/PartitionCount: 2\tReplicationFactor: 3\tConfigs: .*retention\.ms=1234567/);
    expect(described.match(/Leader: [123]/g)).toHaveLength(2);
    expect(await topics('--describe', '--under-replicated-partitions', '--topic', 'by-java')).toBe('');
    const configs = ['--describe', '--topic', 'by-java', ...toServer()];
    expect((await java('kafka.admin.ConfigCommand', configs)).stdout).toContain('retention.ms=1234567');
    const alter = ['--alter', '--topic', 'by-java', '--partitions', '9'];
    await expect(topics(...alter)).rejects.toThrow('does not support CREATE_PARTITIONS');
    await topics('--delete', '--topic', 'by-java');
    expect((await topics('--list')).split('\n')).not.toContain('by-java');
  });

  test('kafka-cluster knows its id and its brokers', async () => {
    const { clusterId } = await client.admin().describeCluster();
    expect(await tool('ClusterTool', 'cluster-id', ...toServer())).toContain(clusterId);
    const endpoints = await tool('ClusterTool', 'list-endpoints', ...toServer());
    expect(endpoints.match(/unfenced/g)).toHaveLength(NODES);
  });

  test('kafka-console-consumer reads what kafka-console-producer wrote, also when the leader dies in between', async () => {
    await client.admin().createTopic({ name: 'console', replicationFactor: NODES });
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
    const produce = (part: readonly string[]) =>
      java(
        'org.apache.kafka.tools.ConsoleProducer',
        [...toServer(), '--topic', 'console'],
        `${part.join('\n')}\n`,
      );
    await produce(lines.slice(0, 50));
    const reading = tool(
      'consumer.ConsoleConsumer',
      ...[...toServer(), '--topic', 'console', '--partition', '0', '--offset', 'earliest'],
      ...['--max-messages', `${lines.length}`],
    );
    const [topic] = await client.admin().describeTopics(['console']);
    const leader = cluster.node(topic?.partitions[0]?.leader ?? -1);
    await leader.end('kill');
    await produce(lines.slice(50));
    expect((await reading).trim().split('\n')).toEqual(lines);
    await cluster.start(leader.id);
  });
});
