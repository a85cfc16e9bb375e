import { beforeEach, describe, expect, it } from 'vitest';
import { TOPIC_CONFIGS } from '../../src/metadata/topic-config.ts';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import { DescribeCluster } from '../../src/protocol/messages/describe-cluster.ts';
import { DescribeConfigs } from '../../src/protocol/messages/describe-configs.ts';
import { DescribeLogDirs } from '../../src/protocol/messages/describe-log-dirs.ts';
import { DescribeQuorum } from '../../src/protocol/messages/describe-quorum.ts';
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts';
import { ListGroups } from '../../src/protocol/messages/list-groups.ts';
import { Metadata } from '../../src/protocol/messages/metadata.ts';
import { ZERO_UUID } from '../../src/protocol/uuid.ts';
import { topicRecords } from '../coordinator/support/fakes.ts';
import {
  ask,
  broker,
  CLUSTER,
  failure,
  NOBODY,
  OTHER,
  PEER,
  QUORUM,
  resetWorld,
  TOPIC,
  world,
} from './support/fake-broker.ts';

beforeEach(resetWorld);

describe('Metadata', () => {
  const ofNames = (...names: string[]) => names.map((name) => ({ topicId: ZERO_UUID, name }));

  it('of all topics, of none, by name and by id', async () => {
    const all = await ask(Metadata, { topics: null, allowAutoTopicCreation: true });
    expect(all.topics.map(({ name }) => name)).toEqual(['led-elsewhere', 't']);
    expect((await ask(Metadata, { topics: [], allowAutoTopicCreation: true })).topics).toEqual([]);
    const topics = [
      ...ofNames('t', 'none', 'a/b', '__proto__'),
      { topicId: OTHER, name: null },
      { topicId: NOBODY, name: null },
    ];
    const some = await ask(Metadata, { topics, allowAutoTopicCreation: true });
    expect(some.topics.map(({ errorCode }) => errorCode)).toEqual([
      ERROR_CODE.NONE,
      ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION,
      ERROR_CODE.INVALID_TOPIC_EXCEPTION,
      ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION,
      ERROR_CODE.NONE,
      ERROR_CODE.UNKNOWN_TOPIC_ID,
    ]);
    expect(world.calls).toEqual([]);
  });

  it('names live brokers with their listeners, the controller, and offline and eligible replicas', async () => {
    const response = await ask(Metadata, { topics: ofNames('t'), allowAutoTopicCreation: false });
    expect(response).toMatchObject({ clusterId: CLUSTER, controllerId: 1 });
    expect(response.brokers).toEqual([
      { nodeId: 1, host: 'host-1', port: 7001, rack: 'rack-1' },
      { nodeId: 2, host: 'host-2', port: 7002, rack: 'rack-2' },
    ]);
    expect(response.topics[0]?.partitions[0]).toEqual({
      errorCode: 0,
      partitionIndex: 0,
      leaderId: 1,
      leaderEpoch: 4,
      replicaNodes: [1, 2, 3],
      isrNodes: [1, 2],
      offlineReplicas: [3],
      eligibleLeaderReplicas: [3],
    });
  });

  it('shows no leader where it is not alive', async () => {
    world.image = world.image.apply(broker(1, true).slice(1), 2);
    const response = await ask(Metadata, { topics: ofNames('t'), allowAutoTopicCreation: false });
    expect(response.topics[0]?.partitions[0]).toMatchObject({
      errorCode: ERROR_CODE.LEADER_NOT_AVAILABLE,
      leaderId: -1,
    });
  });

  it('creates missing topics only when both sides allow it', async () => {
    world.autoCreateTopics = true;
    world.onController = async () => {
      world.image = world.image.apply(topicRecords('new', NOBODY, 1), 2);
      return {};
    };
    await ask(Metadata, { topics: ofNames('new'), allowAutoTopicCreation: false });
    expect(world.calls).toEqual([]);
    const response = await ask(Metadata, {
      topics: ofNames('new', 't', 'a/b'),
      allowAutoTopicCreation: true,
    });
    expect(world.calls).toMatchObject([{ api: 'CreateTopics' }]);
    expect(response.topics[0]).toMatchObject({ errorCode: 0, topicId: NOBODY });
  });
});

describe('FindCoordinator and groups', () => {
  it('names the active controller', async () => {
    world.controllerId = 2;
    const request = { keyType: 0, coordinatorKeys: ['g', 'h'] };
    const found = await ask(FindCoordinator, request);
    expect(found.coordinators[1]).toMatchObject({
      key: 'h',
      nodeId: 2,
      host: 'host-2',
      port: 7002,
      errorCode: 0,
    });
    world.controllerId = undefined;
    expect((await ask(FindCoordinator, request)).coordinators[0]?.errorCode).toBe(
      ERROR_CODE.COORDINATOR_NOT_AVAILABLE,
    );
    const codeFor = async (keyType: number) =>
      (await ask(FindCoordinator, { ...request, keyType })).coordinators[0]?.errorCode;
    expect(await codeFor(1)).toBe(ERROR_CODE.TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    expect(await codeFor(2)).toBe(ERROR_CODE.INVALID_REQUEST);
  });

  it('refuses group APIs where the controller is not', async () => {
    const listed = await ask(ListGroups, { statesFilter: [], typesFilter: [] });
    expect(listed.errorCode).toBe(ERROR_CODE.NOT_COORDINATOR);
  });
});

describe('descriptions', () => {
  it('of the cluster show fenced brokers on demand', async () => {
    const alive = await ask(DescribeCluster, { includeFencedBrokers: false });
    expect(alive).toMatchObject({ clusterId: CLUSTER, controllerId: 1 });
    expect(alive.brokers.map(({ brokerId }) => brokerId)).toEqual([1, 2]);
    const every = await ask(DescribeCluster, { includeFencedBrokers: true });
    expect(every.brokers.map(({ isFenced }) => isFenced)).toEqual([false, false, true]);
  });

  it('of log directories show the replicas here, all or those asked for', async () => {
    const row = (partitionIndex: number, offsetLag: number) => ({
      ...{ partitionIndex, offsetLag, partitionSize: 4096, isFutureKey: false },
      ...{ logStartOffset: 3, logEndOffset: 20 },
    });
    const every = await ask(DescribeLogDirs, { topics: null });
    expect(every.results).toMatchObject([{ errorCode: 0, logDir: '/data/log', totalBytes: -1 }]);
    expect(every.results[0]?.topics).toEqual([
      { name: 't', partitions: [row(0, 5), row(1, 0)] },
      { name: 'led-elsewhere', partitions: [row(0, 5)] },
    ]);
    const topics = [
      { topic: 't', partitions: [1, 7] },
      { topic: 'nowhere', partitions: [0] },
    ];
    const some = await ask(DescribeLogDirs, { topics });
    expect(some.results[0]?.topics).toEqual([{ name: 't', partitions: [row(1, 0)] }]);
  });

  it('of the quorum come from its leader', async () => {
    expect(await ask(DescribeQuorum, {})).toBe(QUORUM);
    world.controllerId = 2;
    world.onController = async () => ({ ...QUORUM, leaderId: 2 });
    expect(await ask(DescribeQuorum, {})).toMatchObject({ leaderId: 2 });
    await expect(ask(DescribeQuorum, {}, PEER)).rejects.toEqual(failure('NOT_CONTROLLER'));
    world.controllerId = undefined;
    await expect(ask(DescribeQuorum, {})).rejects.toEqual(failure('NOT_CONTROLLER'));
  });

  it('of configs show every key with its source', async () => {
    world.image = world.image.apply(
      [{ type: 'Config', topicId: TOPIC, name: 'retention.ms', value: '5' }],
      2,
    );
    const resource = (
      resourceType: number,
      resourceName: string,
      configurationKeys: string[] | null = null,
    ) => ({
      resourceType,
      resourceName,
      configurationKeys,
    });
    const response = await ask(DescribeConfigs, {
      resources: [
        resource(2, 't'),
        resource(2, 't', ['retention.ms']),
        resource(2, 'none'),
        resource(4, '1'),
        resource(4, '2'),
        resource(8, 'x'),
      ],
      includeSynonyms: true,
      includeDocumentation: true,
    });
    const [all, one, none, own, other, unknown] = response.results;
    expect(all?.configs.map(({ name }) => name)).toEqual([...TOPIC_CONFIGS.keys()]);
    expect(all?.configs.every(({ documentation }) => documentation)).toBe(true);
    expect(all?.configs.find(({ name }) => name === 'flush')).toMatchObject({
      value: 'sync',
      configSource: 5,
    });
    expect(one?.configs).toMatchObject([
      {
        name: 'retention.ms',
        value: '5',
        configSource: 1,
        configType: 5,
        synonyms: [{ value: '5' }, { source: 5 }],
      },
    ]);
    expect(none?.errorCode).toBe(ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION);
    expect(own?.configs).toMatchObject([{ name: 'node.id', value: '1', configSource: 4, readOnly: true }]);
    expect(other?.errorCode).toBe(ERROR_CODE.INVALID_REQUEST);
    expect(unknown?.errorCode).toBe(ERROR_CODE.INVALID_REQUEST);
  });
});
