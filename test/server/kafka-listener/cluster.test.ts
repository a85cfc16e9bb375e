import { describe, expect, test } from 'vitest';
import { CreateTopics } from '../../../src/protocol/messages/create-topics.ts';
import { DeleteTopics } from '../../../src/protocol/messages/delete-topics.ts';
import { DescribeCluster } from '../../../src/protocol/messages/describe-cluster.ts';
import { DescribeConfigs } from '../../../src/protocol/messages/describe-configs.ts';
import { FindCoordinator } from '../../../src/protocol/messages/find-coordinator.ts';
import { InitProducerId } from '../../../src/protocol/messages/init-producer-id.ts';
import { Metadata } from '../../../src/protocol/messages/metadata.ts';
import { ZERO_UUID } from '../../../src/protocol/uuid.ts';
import { errorName, kafkaListener, metadataOf } from '../support/kafka-listener.ts';

const { node, peer, overWebSocket, describeTopic, newTopic } = kafkaListener();

describe('Metadata, DescribeCluster and FindCoordinator', () => {
  test('name the addresses of the listener that was asked through', async () => {
    const [host, port] = node().kafkaAddress.split(':');
    const here = { host, port: Number(port) };
    for (let version = 0; version <= 13; version++) {
      const { brokers } = await peer().call(Metadata, version, metadataOf('t'));
      expect(brokers).toMatchObject([{ nodeId: 1, ...here }]);
    }
    const described = await peer().call(DescribeCluster, 2, { includeFencedBrokers: true });
    expect(described).toMatchObject({ errorCode: 0, controllerId: 1, brokers: [{ brokerId: 1, ...here }] });
    const group = { key: 'g', keyType: 0, coordinatorKeys: ['g'] };
    for (let version = 0; version <= 6; version++) {
      const found = await peer().call(FindCoordinator, version, group);
      expect(version < 4 ? found : found.coordinators[0]).toMatchObject({ errorCode: 0, nodeId: 1, ...here });
    }
    const webSocket = overWebSocket();
    const { brokers } = await webSocket.call(Metadata, metadataOf('t'));
    webSocket.close();
    expect(`ws://${brokers[0]?.host}:${brokers[0]?.port}`).toBe(node().url);
  });

  test('a topic that is asked for comes to be, in the very answer, unless the client or its name forbids it', async () => {
    const ask = async (name: string, allowAutoTopicCreation: boolean, version = 9) => {
      const request = { topics: [{ topicId: ZERO_UUID, name }], allowAutoTopicCreation };
      const { topics } = await peer().call(Metadata, version, request);
      return { error: errorName(topics[0]?.errorCode), leader: topics[0]?.partitions[0]?.leaderId };
    };
    expect(await ask('made', false)).toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION' });
    expect(await ask('made', true)).toEqual({ error: 'NONE', leader: 1 });
    // Versions before 4 have no say.
    expect(await ask('made-0', false, 0)).toEqual({ error: 'NONE', leader: 1 });
    expect(await ask('bad/name', true)).toMatchObject({ error: 'INVALID_TOPIC_EXCEPTION' });
    const all = await peer().call(Metadata, 0, { topics: null, allowAutoTopicCreation: true });
    expect(all.topics.map(({ name }) => name)).toContain('made-0');
  });

  test('what is not here is refused by name', async () => {
    const transaction = { key: 'x', keyType: 1, coordinatorKeys: ['x'] };
    const found = await peer().call(FindCoordinator, 3, transaction);
    expect(errorName(found.errorCode)).toBe('TRANSACTIONAL_ID_AUTHORIZATION_FAILED');
    expect(found.errorMessage).toContain('transactions');
    const described = await peer().call(DescribeCluster, 1, { includeFencedBrokers: false, endpointType: 2 });
    expect(errorName(described.errorCode)).toBe('MISMATCHED_ENDPOINT_TYPE');
    const init = { transactionalId: 'x', transactionTimeoutMs: 1000, producerId: -1, producerEpoch: -1 };
    expect(errorName((await peer().call(InitProducerId, 4, init)).errorCode)).toBe('INVALID_REQUEST');
    const idempotent = await peer().call(InitProducerId, 4, { ...init, transactionalId: null });
    expect(idempotent).toMatchObject({ errorCode: 0, producerEpoch: 0 });
  });
});

describe('topics and configs', () => {
  const topic = (name: string) => ({
    name,
    numPartitions: 2,
    replicationFactor: 1,
    assignments: [],
    configs: [{ name: 'retention.ms', value: '60000' }],
  });

  test('a creator sees every config with its source; validateOnly creates nothing', async () => {
    for (let version = 2; version <= 7; version++) {
      const request = { topics: [topic(`created-${version}`)], timeoutMs: 5000, validateOnly: version === 6 };
      const [created] = (await peer().call(CreateTopics, version, request)).topics;
      expect(created).toMatchObject({ errorCode: 0, name: `created-${version}` });
      if (version >= 5) {
        expect(created).toMatchObject({ numPartitions: 2, replicationFactor: 1 });
        expect(created?.configs?.find(({ name }) => name === 'retention.ms')).toMatchObject({
          value: '60000',
          configSource: 1,
        });
        expect(created?.configs?.find(({ name }) => name === 'segment.bytes')).toMatchObject({
          configSource: 5,
        });
      }
    }
    expect(errorName((await describeTopic('created-6')).errorCode)).toBe('UNKNOWN_TOPIC_OR_PARTITION');
    const again = { topics: [topic('created-2')], timeoutMs: 5000, validateOnly: false };
    const [refused] = (await peer().call(CreateTopics, 2, again)).topics;
    expect(errorName(refused?.errorCode)).toBe('TOPIC_ALREADY_EXISTS');
  });

  test('topics are deleted by name and by id', async () => {
    await newTopic('by-name');
    await newTopic('by-id');
    const { topicId: id } = await describeTopic('by-id');
    const byName = { topics: [], topicNames: ['by-name', 'never-was'], timeoutMs: 5000 };
    const named = await peer().call(DeleteTopics, 5, byName);
    expect(named.responses.map(({ name, errorCode }) => [name, errorName(errorCode)])).toEqual([
      ['by-name', 'NONE'],
      ['never-was', 'UNKNOWN_TOPIC_OR_PARTITION'],
    ]);
    const byId = { topics: [{ name: null, topicId: id }], timeoutMs: 5000 };
    expect((await peer().call(DeleteTopics, 6, byId)).responses).toMatchObject([
      { name: 'by-id', errorCode: 0 },
    ]);
  });

  test('brokers show their configs under the names that Kafka knows', async () => {
    const resource = (resourceType: number, resourceName: string, configurationKeys: string[] | null) => ({
      resources: [{ resourceType, resourceName, configurationKeys }],
      includeSynonyms: true,
      includeDocumentation: true,
    });
    for (let version = 1; version <= 4; version++) {
      const keys = ['num.partitions', 'default.replication.factor', 'auto.create.topics.enable'];
      const { results } = await peer().call(DescribeConfigs, version, resource(4, '1', keys));
      const values = results[0]?.configs.map(({ name, value }) => [name, value]);
      expect(values).toEqual([
        ['num.partitions', '1'],
        ['default.replication.factor', '1'],
        ['auto.create.topics.enable', 'true'],
      ]);
      const ofTopic = await peer().call(DescribeConfigs, version, resource(2, 't', null));
      expect(ofTopic.results[0]?.configs.length).toBeGreaterThan(8);
    }
    const elsewhere = await peer().call(DescribeConfigs, 4, resource(4, '2', null));
    expect(errorName(elsewhere.results[0]?.errorCode)).toBe('INVALID_REQUEST');
  });
});
