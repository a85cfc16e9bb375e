import { CompressionTypes, ConfigResourceTypes, Kafka, logLevel, Partitioners } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { string } from '../../src/client/index.ts';
import { type CompatCluster, leaderOf, startCluster } from './support.ts';

// kafkajs 2.2.4, which speaks Kafka's older encodings alone, against three node processes.
let cluster: CompatCluster;
let kafka: Kafka;
beforeAll(async () => {
  cluster = await startCluster();
  kafka = new Kafka({ clientId: 'kafkajs', brokers: cluster.kafka.split(','), logLevel: logLevel.NOTHING });
}, 60_000);
afterAll(() => cluster?.stop());

async function read(topic: string, partition: number, count: number) {
  const consumer = cluster.client.consumer({ key: string, value: string });
  await consumer.assign([{ topic, partition }]);
  await consumer.seekToBeginning();
  const records = [];
  while (records.length < count) records.push(...(await consumer.poll(1000)));
  await consumer.close();
  return records;
}

test('its admin creates, lists, describes and deletes topics', async () => {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const topics = [
      {
        topic: 'made',
        numPartitions: 3,
        replicationFactor: 3,
        configEntries: [{ name: 'retention.ms', value: '3600000' }],
      },
      { topic: 'placed', replicaAssignment: [{ partition: 0, replicas: [3, 1] }] },
    ];
    expect(await admin.createTopics({ topics })).toBe(true);
    expect(await admin.createTopics({ topics })).toBe(false);
    expect(await admin.listTopics()).toEqual(expect.arrayContaining(['made', 'placed']));
    const described = await admin.fetchTopicMetadata({ topics: ['made', 'placed'] });
    const partitionsOf = (name: string) => described.topics.find((each) => each.name === name)?.partitions;
    expect(partitionsOf('made')).toHaveLength(3);
    expect(partitionsOf('placed')?.map(({ replicas }) => replicas)).toEqual([[3, 1]]);
    const { brokers } = await admin.describeCluster();
    expect(brokers.map(({ host, port }) => `${host}:${port}`).sort()).toEqual(
      cluster.kafka.split(',').sort(),
    );

    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [
        { type: ConfigResourceTypes.TOPIC, name: 'made', configNames: ['retention.ms'] },
        { type: ConfigResourceTypes.BROKER, name: '2', configNames: ['default.replication.factor'] },
      ],
    });
    const values = resources.map(({ configEntries }) =>
      configEntries.map(({ configName, configValue }) => [configName, configValue]),
    );
    expect(values).toEqual([[['retention.ms', '3600000']], [['default.replication.factor', '3']]]);

    await admin.deleteTopics({ topics: ['made', 'placed'] });
    expect(await admin.listTopics()).not.toContain('made');
    await expect(admin.createTopics({ topics: [{ topic: 'bad/name' }] })).rejects.toMatchObject({
      errors: [{ type: 'INVALID_TOPIC_EXCEPTION' }],
    });
  } finally {
    await admin.disconnect();
  }
});

test.each([
  [-1, false],
  [1, false],
  [0, false],
  [-1, true],
])('its producer writes with acks=%i, idempotent: %s', async (acks, idempotent) => {
  const topic = `acks${acks}-${idempotent}`;
  const producer = kafka.producer({ idempotent, createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  const messages = [
    { key: 'a', value: '1', partition: 0, headers: { h: 'x' }, timestamp: '1000' },
    { key: 'b', value: '2', partition: 0, timestamp: '2000' },
  ];
  await producer.send({ topic, acks, messages });
  await producer.send({ topic, acks, compression: CompressionTypes.GZIP, messages });
  await producer.disconnect();
  const records = await read(topic, 0, 4);
  expect(records.map(({ key, value, timestamp }) => [key, value, timestamp])).toEqual([
    ['a', '1', 1000],
    ['b', '2', 2000],
    ['a', '1', 1000],
    ['b', '2', 2000],
  ]);
  expect(records[0]?.headers).toMatchObject([{ key: 'h' }]);
});

test('its admin finds offsets, also by timestamp', async () => {
  const admin = kafka.admin();
  await admin.connect();
  try {
    expect(await admin.fetchTopicOffsets('acks-1-false')).toEqual([
      { partition: 0, offset: '4', high: '4', low: '0' },
    ]);
    expect(await admin.fetchTopicOffsetsByTimestamp('acks-1-false', 1500)).toEqual([
      { partition: 0, offset: '1' },
    ]);
  } finally {
    await admin.disconnect();
  }
});

test('its producer goes on when the leader is killed, and writes nothing twice', async () => {
  await cluster.client.admin().createTopic({ name: 'failover', replicationFactor: 3 });
  const producer = kafka.producer({
    idempotent: true,
    createPartitioner: Partitioners.DefaultPartitioner,
    retry: { initialRetryTime: 50, retries: 20 },
  });
  await producer.connect();
  const send = (value: string) => producer.send({ topic: 'failover', messages: [{ value }] });
  await send('0');
  const leader = await leaderOf(cluster, 'failover');
  await leader.end('kill');
  for (let value = 1; value < 20; value++) await send(String(value));
  await producer.disconnect();
  const records = await read('failover', 0, 20);
  expect(records.map(({ value }) => value)).toEqual(Array.from({ length: 20 }, (_, index) => String(index)));
  await cluster.local.start(leader.id);
}, 60_000);
