import { describe, expect, test } from 'vitest';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import { AllocateProducerIds } from '../../src/protocol/messages/allocate-producer-ids.ts';
import { CreatePartitions } from '../../src/protocol/messages/create-partitions.ts';
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts';
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts';
import { IncrementalAlterConfigs } from '../../src/protocol/messages/incremental-alter-configs.ts';
import { ZERO_UUID } from '../../src/protocol/uuid.ts';
import { Harness } from './support/harness.ts';

async function three(config = {}) {
  const h = new Harness(config);
  await h.startAll(1, 2, 3);
  return h;
}
const manual = (...replicas: number[][]) => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: replicas.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
});

describe('create', () => {
  test('a topic has partitions with all replicas in sync, and an id', async () => {
    const h = await three();
    const answer = await h.createTopic('flights', { numPartitions: 6 });
    expect(answer).toMatchObject({ errorCode: 0, numPartitions: 6, replicationFactor: 3 });
    const topic = h.image.topicByName('flights');
    expect(topic?.id).toBe(answer.topicId);
    const leaders = topic?.partitions.map((p) => p.leader).sort();
    expect(leaders).toEqual([1, 1, 2, 2, 3, 3]);
    for (const p of topic?.partitions ?? []) expect([...p.isr].sort()).toEqual([1, 2, 3]);
  });

  test("the cluster's own min.insync.replicas is written to a topic that names none", async () => {
    const h = await three({ defaultMinInsyncReplicas: 2 });
    await h.createTopic('defaulted');
    await h.createTopic('named', { configs: [{ name: 'min.insync.replicas', value: '3' }] });
    expect(h.image.topicByName('defaulted')?.config.minInsyncReplicas).toBe(2);
    expect(h.image.topicByName('named')?.config.minInsyncReplicas).toBe(3);
  });

  test('more replicas than brokers are refused, and the message says how many there are', async () => {
    const h = await three();
    const answer = await h.createTopic('t', { replicationFactor: 4 });
    expect(answer.errorCode).toBe(ERROR_CODE.INVALID_REPLICATION_FACTOR);
    expect(answer.errorMessage).toContain('replication factor 4');
    expect(answer.errorMessage).toContain('brokers, 3');
    h.shell.brokerUnreachable(3);
    h.commit();
    expect((await h.createTopic('t')).errorMessage).toContain('brokers, 2 (3 registered)');
  });

  test('names, configs and counts are checked, each with its own error', async () => {
    const h = await three({ partitionsPerRequestMax: 10, partitionsMax: 12 });
    const code = async (name: string, over = {}) => (await h.createTopic(name, over)).errorCode;
    for (const name of ['..', 'a/b', '', '__consumer_offsets'])
      expect(await code(name)).toBe(ERROR_CODE.INVALID_TOPIC_EXCEPTION);
    expect(await code('t', { numPartitions: 0 })).toBe(ERROR_CODE.INVALID_PARTITIONS);
    expect(await code('t', { numPartitions: 11 })).toBe(ERROR_CODE.INVALID_PARTITIONS);
    expect(await code('t', { replicationFactor: 0 })).toBe(ERROR_CODE.INVALID_REPLICATION_FACTOR);
    const configs = [{ name: 'retention.mss', value: '1' }];
    expect((await h.createTopic('t', { configs })).errorMessage).toContain('retention.ms');
    expect(h.image.topics.size).toBe(0);
    for (const name of ['__proto__', 'constructor']) expect(await code(name)).toBe(0);
    expect(await code('__proto__')).toBe(ERROR_CODE.TOPIC_ALREADY_EXISTS);
    expect(await code('big', { numPartitions: 10 })).toBe(0);
    expect(await code('over')).toBe(ERROR_CODE.INVALID_PARTITIONS);
  });

  test('-1 takes the defaults; validateOnly changes nothing; a name twice in a request is refused', async () => {
    const h = await three({ defaultPartitions: 2, defaultReplicationFactor: 2 });
    const request = h.topicRequest('t', { numPartitions: -1, replicationFactor: -1 });
    const [dry] = (await h.call(CreateTopics, { ...request, validateOnly: true })).topics;
    expect(dry).toMatchObject({ errorCode: 0, topicId: ZERO_UUID, numPartitions: 2, replicationFactor: 2 });
    expect(h.image.topics.size).toBe(0);
    const twice = await h.call(CreateTopics, { ...request, topics: [...request.topics, ...request.topics] });
    expect(twice.topics.map((t) => t.errorCode)).toEqual([42, 42]);
    expect(await h.createTopic('t', { numPartitions: -1, replicationFactor: -1 })).toMatchObject({
      numPartitions: 2,
      replicationFactor: 2,
    });
  });

  test('manual assignments are validated', async () => {
    const h = await three();
    h.shell.brokerUnreachable(3);
    h.commit();
    const bad = ERROR_CODE.INVALID_REPLICA_ASSIGNMENT;
    const code = async (over: object) => (await h.createTopic('t', over)).errorCode;
    expect(await code(manual([1, 1]))).toBe(bad);
    expect(await code(manual([1, 9]))).toBe(bad);
    expect(await code(manual([]))).toBe(bad);
    expect(await code(manual([3]))).toBe(bad);
    expect(await code(manual([1, 2], [1]))).toBe(bad);
    expect(await code({ ...manual([1]), assignments: [{ partitionIndex: 1, brokerIds: [1] }] })).toBe(bad);
    expect(await code({ ...manual([1]), numPartitions: 1 })).toBe(ERROR_CODE.INVALID_REQUEST);
    expect(await code(manual([3, 2], [1, 2]))).toBe(0);
    expect(h.partition('t', 0)).toMatchObject({ replicas: [3, 2], isr: [2], leader: 2 });
  });
});

describe('change and delete', () => {
  test('partitions are added, never taken away', async () => {
    const h = await three();
    await h.createTopic('t', { numPartitions: 2, replicationFactor: 2 });
    const grow = async (count: number, assignments: { brokerIds: number[] }[] | null = null, name = 't') => {
      const topics = [{ name, count, assignments }];
      const response = await h.call(CreatePartitions, { topics, timeoutMs: 1, validateOnly: false });
      return response.results[0]?.errorCode;
    };
    expect(await grow(2)).toBe(ERROR_CODE.INVALID_PARTITIONS);
    expect(await grow(3, null, 'x')).toBe(ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION);
    expect(await grow(3, [])).toBe(ERROR_CODE.INVALID_REPLICA_ASSIGNMENT);
    expect(await grow(3, [{ brokerIds: [1] }])).toBe(ERROR_CODE.INVALID_REPLICA_ASSIGNMENT);
    expect(await grow(3, [{ brokerIds: [1, 3] }])).toBe(0);
    expect(await grow(6)).toBe(0);
    const partitions = h.image.topicByName('t')?.partitions ?? [];
    expect(partitions.map((p) => p.partition)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(partitions.map((p) => p.leader).sort()).toEqual([1, 1, 2, 2, 3, 3]);
  });

  test('topics are deleted by name or id, and a new one of the same name is another one', async () => {
    const h = await three();
    const { topicId } = await h.createTopic('t');
    const remove = async (name: string | null, id = ZERO_UUID) => {
      const response = await h.call(DeleteTopics, { topics: [{ name, topicId: id }], timeoutMs: 1 });
      return response.responses[0];
    };
    expect((await remove('x'))?.errorCode).toBe(ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION);
    expect((await remove(null))?.errorCode).toBe(ERROR_CODE.UNKNOWN_TOPIC_ID);
    expect((await remove('t', topicId))?.errorCode).toBe(ERROR_CODE.INVALID_REQUEST);
    expect(await remove(null, topicId)).toMatchObject({ errorCode: 0, name: 't', topicId });
    const again = await h.createTopic('t');
    expect(again.topicId).not.toBe(topicId);
    expect(await remove('t')).toMatchObject({ errorCode: 0, topicId: again.topicId });
    expect(h.image.topics.size).toBe(0);
  });

  test('configs are set and deleted; wrong ones change nothing', async () => {
    const h = await three();
    await h.createTopic('t');
    const code = async (...args: Parameters<typeof h.alterConfig>) =>
      (await h.alterConfig(...args)).responses[0]?.errorCode;
    expect(await code('t', 'retention.ms', '77')).toBe(0);
    expect(h.image.topicByName('t')?.config.retentionMs).toBe(77);
    expect(await code('t', 'retention.ms', null)).toBe(0);
    expect(h.image.topicByName('t')?.configs.size).toBe(0);
    expect(await code('t', 'retention.ms', 'soon')).toBe(ERROR_CODE.INVALID_CONFIG);
    expect(await code('t', 'nonsense', null)).toBe(ERROR_CODE.INVALID_CONFIG);
    expect(await code('x', 'retention.ms', '1')).toBe(ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION);
    const answer = await h.call(IncrementalAlterConfigs, {
      resources: [{ resourceType: 4, resourceName: '1', configs: [] }],
      validateOnly: false,
    });
    expect(answer.responses[0]?.errorCode).toBe(ERROR_CODE.INVALID_REQUEST);
  });

  test('each producer id is handed out once, also across controllers', async () => {
    const h = new Harness({ producerIdBlockLength: 10 });
    const broker = await h.start(1);
    const next = async () =>
      (await h.call(AllocateProducerIds, { brokerId: 1, brokerEpoch: broker.epoch })).producerIdStart;
    expect([await next(), await next()]).toEqual([0, 10]);
    h.depose();
    h.elect();
    expect(await next()).toBe(20);
    await expect(h.call(AllocateProducerIds, { brokerId: 1, brokerEpoch: 1 })).rejects.toMatchObject({
      code: 'STALE_BROKER_EPOCH',
    });
  });
});
