import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Logger } from '../../src/platform/ports.ts';
import { nodeTimers } from '../../src/platform/timers.ts';
import { ERROR_CODE, errorDefinition } from '../../src/protocol/errors.ts';
import { decodeKafkaResponse } from '../../src/protocol/kafka-codec.ts';
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts';
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts';
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts';
import { DescribeCluster } from '../../src/protocol/messages/describe-cluster.ts';
import { DescribeConfigs } from '../../src/protocol/messages/describe-configs.ts';
import { Fetch } from '../../src/protocol/messages/fetch.ts';
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts';
import { InitProducerId } from '../../src/protocol/messages/init-producer-id.ts';
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts';
import { Metadata } from '../../src/protocol/messages/metadata.ts';
import { Produce } from '../../src/protocol/messages/produce.ts';
import { RecordBatchBuilder } from '../../src/protocol/record-batch-builder.ts';
import { ZERO_UUID } from '../../src/protocol/uuid.ts';
import { startCluster } from '../../src/testing/start-cluster.ts';
import { RpcClient } from '../../src/transport/rpc-client.ts';
import { WsDialer } from '../../src/transport/ws-dialer.ts';
import { KafkaPeer } from './support/kafka-peer.ts';

/** What was logged as an error: a handler that threw what nobody expected. */
const bugs: unknown[] = [];
const ignore = () => {};
const logger: Logger = {
  ...{ debug: ignore, info: ignore, warn: ignore },
  error: (fields, message) => void bugs.push({ message, ...fields }),
  child: () => logger,
};

let cluster: Awaited<ReturnType<typeof startCluster>>;
let topicId = '';
const peers: KafkaPeer[] = [];

beforeAll(async () => {
  cluster = await startCluster({ nodes: 1, topics: ['t'], logger });
  topicId = (await describeTopic('t')).topicId;
});
afterEach(() => {
  for (const peer of peers.splice(0)) peer.close();
});
afterAll(() => cluster.stop());

function peer(): KafkaPeer {
  const opened = new KafkaPeer(cluster.node(1).kafkaAddress);
  peers.push(opened);
  return opened;
}

function overWebSocket(): RpcClient {
  const { url } = cluster.node(1);
  return new RpcClient({ dialer: new WsDialer(), timers: nodeTimers, url, clientId: 'test' });
}

const metadataOf = (name: string) => ({
  topics: [{ topicId: ZERO_UUID, name }],
  allowAutoTopicCreation: false,
});

async function describeTopic(name: string) {
  const { topics } = await peer().call(Metadata, 12, metadataOf(name));
  const [topic] = topics;
  if (!topic) throw new Error('no answer');
  return topic;
}

function batch(values: readonly string[], timestamp = 1000): Uint8Array {
  const builder = new RecordBatchBuilder({ sizeBytesMax: 1 << 20 });
  values.forEach((value, index) => {
    builder.tryAppend({ timestamp: timestamp + index, key: null, value: Buffer.from(value) });
  });
  return builder.build();
}

function produceOf(name: string, records: readonly Uint8Array[], acks = -1) {
  return {
    transactionalId: null,
    acks,
    timeoutMs: 5000,
    topicData: [{ name, topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }],
  };
}

async function produce(name: string, records: readonly Uint8Array[], version = 9) {
  const { responses } = await peer().call(Produce, version, produceOf(name, records));
  const [answer] = responses[0]?.partitionResponses ?? [];
  return { ...answer, error: errorName(answer?.errorCode) };
}

function fetchOf(name: string, fetchOffset: number, limits: { maxBytes?: number; maxWaitMs?: number } = {}) {
  const { maxBytes = 1 << 20, maxWaitMs = 500 } = limits;
  const entry = {
    partition: 0,
    currentLeaderEpoch: -1,
    fetchOffset,
    lastFetchedEpoch: -1,
    logStartOffset: -1,
    partitionMaxBytes: maxBytes,
  };
  return {
    replicaState: { replicaId: -1, replicaEpoch: -1 },
    maxWaitMs,
    minBytes: 1,
    maxBytes,
    isolationLevel: 1,
    sessionId: 0,
    sessionEpoch: -1,
    topics: [{ topic: name, topicId: ZERO_UUID, partitions: [entry] }],
    rackId: '',
  };
}

async function fetch(name: string, offset: number, limits?: Parameters<typeof fetchOf>[2]) {
  const { responses } = await peer().call(Fetch, 11, fetchOf(name, offset, limits));
  const [answer] = responses[0]?.partitions ?? [];
  return { ...answer, error: errorName(answer?.errorCode), bytes: Buffer.concat(answer?.records ?? []) };
}

const errorName = (code = -1) => errorDefinition(code).name;

async function newTopic(name: string): Promise<void> {
  await cluster.client().admin().createTopic({ name });
}

/** A request header without a body: API key, version, correlation id, client id. */
function header(apiKey: number, apiVersion: number, clientId: string | null = 'x'): Buffer {
  const id = clientId === null ? Buffer.alloc(0) : Buffer.from(clientId);
  const bytes = Buffer.alloc(10 + id.length);
  bytes.writeInt16BE(apiKey, 0);
  bytes.writeInt16BE(apiVersion, 2);
  bytes.writeInt32BE(77, 4);
  bytes.writeInt16BE(clientId === null ? -1 : id.length, 8);
  id.copy(bytes, 10);
  return bytes;
}

const hello = { clientSoftwareName: 'test', clientSoftwareVersion: '1', catalogueVersion: 0 };

describe('ApiVersions', () => {
  test('tells of the APIs that are whole, and of no other', async () => {
    for (const version of [0, 1, 2, 3, 4]) {
      const { errorCode, apiKeys } = await peer().call(ApiVersions, version, hello);
      expect(errorCode).toBe(0);
      expect(apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion])).toEqual([
        [0, 0, 11],
        [1, 4, 18],
        [2, 1, 11],
        [3, 0, 13],
        [10, 0, 6],
        [18, 0, 4],
        [19, 2, 7],
        [20, 1, 6],
        [22, 0, 5],
        [32, 1, 4],
        [60, 0, 2],
      ]);
    }
  });

  test.each([
    ['record batches', 0, 3],
    ['record batches', 1, 4],
    ['compression before 2.11.1', 0, 0],
    ['lz4', 10, 0],
    ['zstd', 0, 7],
    ['zstd', 1, 10],
    ['idempotence', 22, 0],
    ['offsets by timestamp', 2, 1],
    ['topic metadata', 3, 4],
  ])("librdkafka's gate for %s: API %i in version %i", async (_, apiKey, version) => {
    const { apiKeys } = await peer().call(ApiVersions, 0, hello);
    const range = apiKeys.find((each) => each.apiKey === apiKey);
    expect(range?.minVersion).toBeLessThanOrEqual(version);
    expect(range?.maxVersion).toBeGreaterThanOrEqual(version);
  });

  test('an unknown version is answered in version 0, with what there is to choose from, and the connection stays', async () => {
    const client = peer();
    client.rawFrame(Buffer.concat([header(18, 127), Buffer.from([9, 9, 9])]));
    expect(Buffer.from(await client.frame()).toString('hex')).toBe(
      // correlation id 77, error 35, one key: 18 from 0 to 4
      ['0000004d', '0023', '00000001', '0012', '0000', '0004'].join(''),
    );
    expect((await client.call(ApiVersions, 3, hello)).errorCode).toBe(0);
  });

  test('a client may be nameless', async () => {
    const client = peer();
    client.rawFrame(header(18, 0, null));
    expect(decodeKafkaResponse(ApiVersions, 0, await client.frame()).body.errorCode).toBe(0);
    // No tagged fields, both names null, no tagged fields.
    client.rawFrame(Buffer.concat([header(18, 3, null), Buffer.from([0, 0, 0, 0])]));
    expect(decodeKafkaResponse(ApiVersions, 3, await client.frame()).body.errorCode).toBe(0);
    expect(
      (await client.call(ApiVersions, 3, { ...hello, clientSoftwareName: '', clientSoftwareVersion: '' }))
        .errorCode,
    ).toBe(0);
  });
});

describe('what has no answer closes the connection, as in Kafka', () => {
  test.each<[string, Buffer]>([
    ['an API that does not exist', header(999, 0)],
    ['an API of brokers', header(62, 0)],
    ['an API that is not served here yet', header(8, 2)],
    ['a version that is not served', Buffer.concat([header(3, 99), Buffer.alloc(20)])],
    ['a body that ends early', header(3, 1)],
    ['a count beyond what is there', Buffer.concat([header(3, 1), Buffer.from('7fffffff', 'hex')])],
    ['a string longer than what is there', Buffer.concat([header(3, 1), Buffer.from('000000017fff', 'hex')])],
    ['a client id that ends early', Buffer.from('0003000100000000ffee0000', 'hex')],
  ])('%s', async (_, frame) => {
    const client = peer();
    client.rawFrame(frame);
    await expect(client.frame()).rejects.toThrow('closed');
  });

  test('answers that are due leave before it', async () => {
    const client = peer();
    client.send(Produce, 9, produceOf('t', [batch(['last'])]));
    client.rawFrame(header(999, 0));
    expect(decodeKafkaResponse(Produce, 9, await client.frame()).body.responses).toHaveLength(1);
    await client.closed;
  });

  test('random frames do no harm', async () => {
    let seed = 12345;
    const random = () => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed;
    };
    for (let round = 0; round < 300; round++) {
      const client = peer();
      const key = [0, 1, 2, 3, 10, 18, 19, 20, 22, 32, 60][round % 11] ?? 0;
      const body = Buffer.from(Array.from({ length: random() % 60 }, () => random() & 0xff));
      client.rawFrame(Buffer.concat([header(key, random() % 14), body]));
      client.end();
      await client.closed;
    }
    expect((await describeTopic('t')).errorCode).toBe(0);
    expect(bugs).toEqual([]);
  });
});

describe('Produce and Fetch', () => {
  test('answers come in the order of the requests', async () => {
    const client = peer();
    const ids = [
      client.send(Produce, 9, produceOf('t', [batch(['1'])])),
      client.send(Fetch, 11, fetchOf('t', 1_000_000)),
      client.send(Produce, 9, produceOf('t', [batch(['2'])])),
      client.send(Produce, 9, produceOf('t', [batch(['3'])])),
      client.send(Metadata, 1, metadataOf('t')),
    ];
    const answered: number[] = [];
    for (const _ of ids) answered.push(Buffer.from(await client.frame()).readInt32BE(0));
    expect(answered).toEqual(ids);
  });

  test.each([3, 5, 7, 8, 9, 10, 11])(
    'version %i of Produce, read by every version of Fetch',
    async (version) => {
      const name = `produce-${version}`;
      await newTopic(name);
      const written = batch(['a', 'b', 'c']);
      expect(await produce(name, [written], version)).toMatchObject({ error: 'NONE', baseOffset: 0 });
      const { topicId: id } = await describeTopic(name);
      for (let reader = 4; reader <= 18; reader++) {
        const request = fetchOf(name, 0);
        const topics = request.topics.map((topic) => (reader >= 13 ? { ...topic, topicId: id } : topic));
        const { responses } = await peer().call(Fetch, reader, { ...request, topics });
        const [answer] = responses[0]?.partitions ?? [];
        expect(answer).toMatchObject({ errorCode: 0, highWatermark: 3, lastStableOffset: 3 });
        // The broker wrote the leader epoch, outside the checksum.
        expect(Buffer.concat(answer?.records ?? []).subarray(16)).toEqual(Buffer.from(written.subarray(16)));
      }
    },
  );

  test('what one side writes the other reads, equal to the byte', async () => {
    await newTopic('both');
    const client = peer();
    const webSocket = overWebSocket();
    const { topicId: id } = await describeTopic('both');
    await client.call(Produce, 9, produceOf('both', [batch(['from Kafka', 'x'])]));
    const request = produceOf('both', [batch(['from a WebSocket'])]);
    const topicData = request.topicData.map((topic) => ({ ...topic, topicId: id }));
    await webSocket.call(Produce, { ...request, topicData });
    const asked = fetchOf('both', 0);
    const topics = asked.topics.map((topic) => ({ ...topic, topicId: id }));
    const there = await webSocket.call(Fetch, { ...asked, topics });
    webSocket.close();
    const here = await fetch('both', 0);
    expect(here.bytes).toEqual(Buffer.concat(there.responses[0]?.partitions[0]?.records ?? []));
    expect(here.bytes.toString('latin1')).toMatch(/from Kafka.*from a WebSocket/s);
  });

  test('an offset inside a batch gets the whole batch; the first batch comes above every limit', async () => {
    await newTopic('inside');
    const first = batch(['a', 'b', 'c']);
    const second = batch(['d'.repeat(1000)]);
    await produce('inside', [first]);
    await produce('inside', [second]);
    expect((await fetch('inside', 2, { maxBytes: 1 })).bytes.length).toBe(first.length);
    expect((await fetch('inside', 3, { maxBytes: 0 })).bytes.length).toBe(second.length);
    expect((await fetch('inside', 0)).bytes.length).toBe(first.length + second.length);
    expect((await fetch('inside', 4, { maxWaitMs: 1 })).bytes.length).toBe(0);
    expect((await fetch('inside', 5)).error).toBe('OFFSET_OUT_OF_RANGE');
  });

  test('without acks there is no answer, and on an error no connection', async () => {
    await newTopic('silent');
    const client = peer();
    client.send(Produce, 9, produceOf('silent', [batch(['unanswered'])], 0));
    const id = client.send(Metadata, 1, metadataOf('silent'));
    expect(Buffer.from(await client.frame()).readInt32BE(0)).toBe(id);
    expect((await fetch('silent', 0)).bytes.toString('latin1')).toContain('unanswered');
    client.send(Produce, 9, produceOf('no such topic', [batch(['lost'])], 0));
    await client.closed;
  });

  test.each<[string, string, Uint8Array[], number]>([
    ['a version that is only advertised', 'UNSUPPORTED_VERSION', [batch(['a'])], 2],
    ['no records', 'INVALID_RECORD', [], 9],
    ['an older message format', 'INVALID_RECORD', [patched(16, 1)], 9],
    ['a wrong checksum', 'CORRUPT_MESSAGE', [patched(70, 0xff)], 9],
    ['half a batch', 'CORRUPT_MESSAGE', [batch(['a']).subarray(0, 65)], 9],
    ['too large a batch', 'MESSAGE_TOO_LARGE', [batch(['x'.repeat(1_100_000)])], 9],
  ])('%s is refused', async (_, error, records, version) => {
    expect(await produce('t', records, version)).toMatchObject({ error });
  });

  test('other refusals name their reason', async () => {
    expect(await produce('nope', [batch(['a'])])).toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION' });
    const client = peer();
    const transactional = { ...produceOf('t', [batch(['a'])]), transactionalId: 'x' };
    const { responses } = await client.call(Produce, 9, transactional);
    expect(errorName(responses[0]?.partitionResponses[0]?.errorCode)).toBe('INVALID_REQUEST');
    const replica = { ...fetchOf('t', 0), replicaState: { replicaId: 1, replicaEpoch: 1 } };
    const topics = replica.topics.map((topic) => ({ ...topic, topicId }));
    const { errorCode } = await client.call(Fetch, 15, { ...replica, topics });
    expect(errorName(errorCode)).toBe('CLUSTER_AUTHORIZATION_FAILED');
    const session = await client.call(Fetch, 11, { ...fetchOf('t', 0), sessionId: 5, sessionEpoch: 2 });
    expect(errorName(session.errorCode)).toBe('FETCH_SESSION_ID_NOT_FOUND');
  });
});

function patched(position: number, value: number): Uint8Array {
  const bytes = batch(['value']);
  bytes[position] = value;
  return bytes;
}

test('ListOffsets finds every position, each from its version on', async () => {
  await newTopic('positions');
  await produce('positions', [batch(['a', 'b'], 1000)]);
  await produce('positions', [batch(['c'], 5000)]);
  await produce('positions', [batch(['d'], 3000)]);
  const find = async (timestamp: number, version: number) => {
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }];
    const request = { replicaId: -1, isolationLevel: 1, topics: [{ name: 'positions', partitions }] };
    const { topics } = await peer().call(ListOffsets, version, request);
    const { errorCode, offset } = topics[0]?.partitions[0] ?? {};
    return errorCode === ERROR_CODE.NONE ? offset : errorName(errorCode);
  };
  for (let version = 1; version <= 11; version++) {
    expect(await find(-1, version)).toBe(4);
    expect(await find(-2, version)).toBe(0);
    expect(await find(1001, version)).toBe(1);
    expect(await find(2000, version)).toBe(2);
    expect(await find(9000, version)).toBe(-1);
    expect(await find(-3, version)).toBe(version >= 7 ? 2 : 'UNSUPPORTED_VERSION');
    expect(await find(-4, version)).toBe(version >= 8 ? 0 : 'UNSUPPORTED_VERSION');
    expect(await find(-5, version)).toBe(version >= 9 ? -1 : 'UNSUPPORTED_VERSION');
    expect(await find(-6, version)).toBe(version >= 11 ? -1 : 'UNSUPPORTED_VERSION');
    expect(await find(-7, version)).toBe('UNSUPPORTED_VERSION');
  }
});

describe('Metadata, DescribeCluster and FindCoordinator', () => {
  test('name the addresses of the listener that was asked through', async () => {
    const [host, port] = cluster.node(1).kafkaAddress.split(':');
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
    expect(`ws://${brokers[0]?.host}:${brokers[0]?.port}`).toBe(cluster.node(1).url);
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
    expect(errorName(found.errorCode)).toBe('INVALID_REQUEST');
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
