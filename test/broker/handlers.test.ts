import { beforeEach, describe, expect, it } from 'vitest';
import { BROKER_DEFAULTS, type BrokerContext, type RequestContext } from '../../src/broker/context.ts';
import { brokerRoutes } from '../../src/broker/handlers.ts';
import { Refusals } from '../../src/broker/refusals.ts';
import { GroupCoordinator } from '../../src/coordinator/coordinator.ts';
import { MetadataImage } from '../../src/metadata/image.ts';
import type { MetadataRecord } from '../../src/metadata/records.ts';
import { TOPIC_CONFIGS } from '../../src/metadata/topic-config.ts';
import { catalogue } from '../../src/protocol/catalogue.ts';
import { decodeRequestBody, decodeRequestHeader, encodeRequest } from '../../src/protocol/codec.ts';
import { ERROR_CODE, KafkaError } from '../../src/protocol/errors.ts';
import { AllocateProducerIds } from '../../src/protocol/messages/allocate-producer-ids.ts';
import { BrokerHeartbeat } from '../../src/protocol/messages/broker-heartbeat.ts';
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts';
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts';
import { DescribeCluster } from '../../src/protocol/messages/describe-cluster.ts';
import { DescribeConfigs } from '../../src/protocol/messages/describe-configs.ts';
import { DescribeLogDirs } from '../../src/protocol/messages/describe-log-dirs.ts';
import { DescribeQuorum, type DescribeQuorumResponse } from '../../src/protocol/messages/describe-quorum.ts';
import { Fetch, type FetchRequest, type FetchResponse } from '../../src/protocol/messages/fetch.ts';
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts';
import { InitProducerId } from '../../src/protocol/messages/init-producer-id.ts';
import { ListGroups } from '../../src/protocol/messages/list-groups.ts';
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts';
import { Metadata } from '../../src/protocol/messages/metadata.ts';
import { OffsetForLeaderEpoch } from '../../src/protocol/messages/offset-for-leader-epoch.ts';
import { Produce, type ProduceResponse } from '../../src/protocol/messages/produce.ts';
import type { Api } from '../../src/protocol/schema.ts';
import { ZERO_UUID } from '../../src/protocol/uuid.ts';
import { FakeLog, FakeLogger, FakeTime, topicRecords } from '../coordinator/support/fakes.ts';

const TOPIC = 'AQEBAQEBAQEBAQEBAQEBAQ';
const OTHER = 'AgICAgICAgICAgICAgICAg';
const NOBODY = 'AwMDAwMDAwMDAwMDAwMDAw';
const CLUSTER = 'BAQEBAQEBAQEBAQEBAQEBA';
const NODE = 1;

const QUORUM: DescribeQuorumResponse = {
  errorCode: 0,
  leaderId: NODE,
  leaderEpoch: 7,
  highWatermark: 40,
  currentVoters: [],
  observers: [],
};

type Call = (api: { readonly name: string }, request: unknown, timeoutMs?: number) => Promise<unknown>;

let image: MetadataImage;
let time: FakeTime;
let logger: FakeLogger;
let controllerId: number | undefined;
let autoCreateTopics: boolean;
let calls: { readonly how: 'handle' | 'send'; readonly api: string; readonly timeoutMs?: number }[];
let onController: Call;
let replicas: {
  produced: Partial<ProduceResponse['responses'][number]['partitionResponses'][number]>;
  fetched: number;
};
let context: BrokerContext;

function broker(brokerId: number, fenced: boolean): MetadataRecord[] {
  const ids = {
    brokerId,
    incarnationId: TOPIC,
    directoryId: TOPIC,
    rack: `rack-${brokerId}`,
    cleanShutdown: true,
  };
  const listeners = [{ name: 'ws', host: `host-${brokerId}`, port: 7000 + brokerId }];
  const brokerEpoch = 100 + brokerId;
  return [
    { type: 'RegisterBroker', ...ids, listeners, brokerEpoch },
    { type: 'BrokerChange', brokerId, brokerEpoch, fenced, inControlledShutdown: false },
  ];
}

beforeEach(() => {
  image = MetadataImage.EMPTY.apply(
    [
      ...broker(1, false),
      ...broker(2, false),
      ...broker(3, true),
      ...topicRecords('t', TOPIC, 2, { replicas: [1, 2, 3], isr: [1, 2], elr: [3], leaderEpoch: 4 }),
      ...topicRecords('led-elsewhere', OTHER, 1, { replicas: [2], leader: 2, leaderEpoch: 6 }),
    ],
    1,
  );
  time = new FakeTime();
  logger = new FakeLogger();
  controllerId = NODE;
  autoCreateTopics = false;
  calls = [];
  onController = async () => ({});
  replicas = { produced: {}, fetched: 0 };
  const ask =
    (how: 'handle' | 'send') => (api: { readonly name: string }, request: unknown, timeoutMs?: number) => {
      calls.push({ how, api: api.name, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
      return onController(api, request, timeoutMs);
    };
  const timers = time;
  context = {
    nodeId: NODE,
    get config() {
      const shown = [
        { name: 'node.id', value: '1', type: 'int', isDefault: false, documentation: null } as const,
      ];
      return { ...BROKER_DEFAULTS, autoCreateTopics, logDir: '/data/log', shown };
    },
    clock: time,
    timers,
    logger,
    refusals: new Refusals({ clock: time, logger }),
    coordinator: new GroupCoordinator({ log: new FakeLog(), clock: time, timers, logger }),
    controller: {
      controllerId: () => controllerId,
      handle: ask('handle') as BrokerContext['controller']['handle'],
      send: ask('send') as BrokerContext['controller']['send'],
    },
    replicas: {
      produce: (_topicId, index) => ({
        index,
        errorCode: 0,
        baseOffset: 42,
        logAppendTimeMs: -1,
        logStartOffset: 0,
        errorMessage: null,
        currentLeader: { leaderId: -1, leaderEpoch: -1 },
        ...replicas.produced,
      }),
      fetch: async (request) => fetchResponse(request, replicas.fetched),
      listOffset: async (_topicId, partitionIndex, timestamp, currentLeaderEpoch = -1) => ({
        partitionIndex,
        errorCode: 0,
        timestamp,
        offset: 9,
        leaderEpoch: currentLeaderEpoch,
      }),
      offsetForLeaderEpoch: (_topicId, partition, leaderEpoch) => ({
        errorCode: 0,
        partition,
        leaderEpoch,
        endOffset: 12,
      }),
      *describeLogs() {
        const log = { sizeBytes: 4096, logStartOffset: 3, logEndOffset: 20, highWatermark: 25 };
        yield { ...log, topicId: TOPIC, topicName: 't', partition: 0 };
        yield { ...log, topicId: TOPIC, topicName: 't', partition: 1, highWatermark: 10 };
        yield { ...log, topicId: OTHER, topicName: 'led-elsewhere', partition: 0 };
      },
    },
    image: () => image,
    clusterId: () => CLUSTER,
    brokerEpoch: () => 101,
    describeQuorum: () => QUORUM,
  };
});

function fetchResponse(request: FetchRequest, errorCode: number): FetchResponse {
  const responses = request.topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(({ partition }) => ({
      partitionIndex: partition,
      errorCode,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      divergingEpoch: { epoch: -1, endOffset: -1 },
      currentLeader: { leaderId: -1, leaderEpoch: -1 },
      preferredReadReplica: -1,
      records: [],
    })),
  }));
  return { throttleTimeMs: 0, errorCode: 0, responses };
}

/** A header of a batch, empty but for the number of its format. */
function batchOfMagic(magic: number): Uint8Array {
  const batch = new Uint8Array(61);
  batch[16] = magic;
  return batch;
}

const CLIENT: RequestContext = {
  clientId: 'test',
  apiVersion: 0,
  reserveAnswer: (bytesMax) => bytesMax,
  caller: { remote: '127.0.0.1:5', listener: 'ws', closed: false, onClose: () => {}, close: () => {} },
};
const PEER: RequestContext = { ...CLIENT, clientId: 'node-2' };

/** Asks the way the server does: by the table. */
async function ask<Request, Response>(
  api: Api<Request, Response>,
  request: Request,
  from = CLIENT,
): Promise<Response> {
  const found = brokerRoutes(context).find((route) => route.api.key === api.key);
  const asRead = decodeRequestBody(
    api,
    decodeRequestHeader(encodeRequest(api, 0, 1, from.clientId, request)),
  );
  return (await found?.handler(asRead, from)) as Response;
}

const failure = (code: string) => expect.objectContaining({ code });

describe('the table of handlers', () => {
  /** Served below the broker: by the RPC server itself and by the Raft node. */
  const ELSEWHERE = new Set([
    'ApiVersions',
    'Vote',
    'EndQuorumEpoch',
    'AppendEntries',
    'InstallSnapshot',
    'QuorumHello',
  ]);

  it.each([...catalogue.values()].map((api) => [api.name, api] as const))('serves %s once', (name, api) => {
    const found = brokerRoutes(context).filter((route) => route.api === api);
    expect(found).toHaveLength(ELSEWHERE.has(name) ? 0 : 1);
  });
});

describe('Produce', () => {
  const produce = (
    more: { acks?: number; topicId?: string; index?: number; transactionalId?: string } = {},
  ) =>
    ask(Produce, {
      transactionalId: more.transactionalId ?? null,
      acks: more.acks ?? -1,
      timeoutMs: 1_000,
      topicData: [
        {
          topicId: more.topicId ?? TOPIC,
          partitionData: [{ index: more.index ?? 0, records: [batchOfMagic(2)] }],
        },
      ],
    });
  const answer = (response: ProduceResponse) => response.responses[0]?.partitionResponses[0];

  it('answers with the base offset, and not at all for acks=0', async () => {
    expect(answer(await produce())).toMatchObject({ errorCode: 0, baseOffset: 42 });
    expect(await produce({ acks: 0 })).toBeUndefined();
  });

  it.each([
    ['INVALID_REQUIRED_ACKS', { acks: 2 }],
    ['INVALID_REQUEST', { transactionalId: 'tx' }],
    ['UNKNOWN_TOPIC_ID', { topicId: NOBODY }],
    ['UNKNOWN_TOPIC_OR_PARTITION', { index: 2 }],
    ['UNKNOWN_TOPIC_OR_PARTITION', { index: -1 }],
  ] as const)('refuses with %s: %j', async (code, more) => {
    expect(answer(await produce(more))).toMatchObject({ errorCode: ERROR_CODE[code], baseOffset: -1 });
    expect(logger.lines).toMatchObject([{ level: 'info', fields: { api: 'Produce', clientId: 'test' } }]);
  });

  it('refuses a partition without records', async () => {
    const topicData = [{ topicId: TOPIC, partitionData: [{ index: 0, records: [] }] }];
    const response = await ask(Produce, { transactionalId: null, acks: 1, timeoutMs: 1, topicData });
    expect(answer(response)).toMatchObject({ errorCode: ERROR_CODE.INVALID_RECORD });
  });

  it('names the leader to turn to (KIP-951)', async () => {
    replicas.produced = { errorCode: ERROR_CODE.NOT_LEADER_OR_FOLLOWER };
    const response = await produce({ topicId: OTHER });
    expect(answer(response)?.currentLeader).toEqual({ leaderId: 2, leaderEpoch: 6 });
    expect(response.nodeEndpoints).toEqual([{ nodeId: 2, host: 'host-2', port: 7002, rack: 'rack-2' }]);
  });

  const byName = (names: readonly string[], acks = -1, from = CLIENT) => {
    const partitionData = [{ index: 0, records: [batchOfMagic(2)] }];
    const topicData = names.map((name) => ({ name, topicId: ZERO_UUID, partitionData }));
    return ask(Produce, { transactionalId: null, acks, timeoutMs: 1_000, topicData }, from);
  };

  it('finds topics by name too, and answers with name and id', async () => {
    const { responses } = await byName(['t', 'none']);
    expect(responses).toMatchObject([
      { name: 't', topicId: TOPIC, partitionResponses: [{ errorCode: 0 }] },
      {
        name: 'none',
        topicId: ZERO_UUID,
        partitionResponses: [{ errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION }],
      },
    ]);
  });

  it('ends the connection of a Kafka client that asked for no answer, where there is an error', async () => {
    const closed: string[] = [];
    const close = (reason: string) => void closed.push(reason);
    const from = (listener: 'ws' | 'kafka') => ({ ...CLIENT, caller: { ...CLIENT.caller, listener, close } });
    expect(await byName(['none'], 0, from('ws'))).toBeUndefined();
    expect(await byName(['t'], 0, from('kafka'))).toBeUndefined();
    expect(closed).toEqual([]);
    expect(await byName(['t', 'none'], 0, from('kafka'))).toBeUndefined();
    expect(closed).toHaveLength(1);
  });
});

describe('Fetch', () => {
  const fetch = async (topicId: string, partition = 0) => {
    const asked = {
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: 0,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
    };
    const limits = { maxWaitMs: 10, minBytes: 1, maxBytes: 1_000, isolationLevel: 0, rackId: '' };
    const topics = [{ topicId, partitions: [{ ...asked, partitionMaxBytes: 100 }] }];
    const response = await ask(Fetch, {
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      ...limits,
      topics,
    });
    return response.responses[0]?.partitions[0];
  };

  it('passes answers on', async () => {
    expect(await fetch(TOPIC)).toMatchObject({ errorCode: 0, partitionIndex: 0 });
  });

  it('tells what is unknown from what is elsewhere, and where', async () => {
    replicas.fetched = ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION;
    expect(await fetch(NOBODY)).toMatchObject({ errorCode: ERROR_CODE.UNKNOWN_TOPIC_ID });
    expect(await fetch(TOPIC, 5)).toMatchObject({ errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION });
    expect(await fetch(OTHER)).toMatchObject({
      errorCode: ERROR_CODE.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 2, leaderEpoch: 6 },
    });
    expect(logger.lines).toHaveLength(3);
  });

  const byName = (more: Partial<FetchRequest> & { names?: readonly string[] }) => {
    const position = { currentLeaderEpoch: -1, fetchOffset: 0, lastFetchedEpoch: -1, logStartOffset: -1 };
    const partitions = [{ partition: 0, ...position, partitionMaxBytes: 100 }];
    const { names = ['t'], ...fields } = more;
    return ask(Fetch, {
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      ...{ maxWaitMs: 10, minBytes: 1, maxBytes: 1_000, isolationLevel: 0, rackId: '' },
      topics: names.map((topic) => ({ topic, topicId: ZERO_UUID, partitions })),
      ...fields,
    });
  };

  it('finds topics by name too, and answers with name and id', async () => {
    const { responses } = await byName({ names: ['none', 't', 'nor this'] });
    const unknown = [{ errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION }];
    expect(responses).toHaveLength(3);
    expect(responses).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ topic: 't', topicId: TOPIC }),
        expect.objectContaining({ topic: 'none', partitions: [expect.objectContaining(unknown[0])] }),
        expect.objectContaining({ topic: 'nor this', partitions: [expect.objectContaining(unknown[0])] }),
      ]),
    );
  });

  it('says of a name whose topic went meanwhile what it says of a name that no topic has', async () => {
    replicas.fetched = ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION;
    const before = image;
    const response = byName({});
    image = image.apply([{ type: 'RemoveTopic', topicId: TOPIC }], 2);
    const { responses } = await response;
    image = before;
    const partitions = [{ errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION }];
    expect(responses).toMatchObject([{ topic: 't', partitions }]);
  });

  it('knows no fetch sessions (KIP-227)', async () => {
    expect(await byName({ sessionId: 7, sessionEpoch: 1 })).toMatchObject({
      errorCode: ERROR_CODE.FETCH_SESSION_ID_NOT_FOUND,
    });
    expect(await byName({ sessionId: 0, sessionEpoch: 0 })).toMatchObject({ errorCode: 0 });
    expect(await byName({ sessionId: 7, sessionEpoch: -1 })).toMatchObject({ errorCode: 0 });
  });
});

describe('ListOffsets and OffsetForLeaderEpoch', () => {
  it('look topics up by name', async () => {
    const partitions = [{ partitionIndex: 1, currentLeaderEpoch: 4, timestamp: -1 }];
    const topics = [
      { name: 't', partitions },
      { name: 'none', partitions },
    ];
    const listed = await ask(ListOffsets, { replicaId: -1, isolationLevel: 0, topics });
    expect(listed.topics[0]?.partitions[0]).toMatchObject({
      errorCode: 0,
      offset: 9,
      timestamp: -1,
      leaderEpoch: 4,
    });
    expect(listed.topics[1]?.partitions[0]).toMatchObject({
      errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION,
    });
    const epochs = [{ partition: 1, currentLeaderEpoch: 4, leaderEpoch: 3 }];
    const ends = await ask(OffsetForLeaderEpoch, {
      replicaId: -1,
      topics: [
        { topic: 't', partitions: epochs },
        { topic: 't', partitions: [{ partition: 7, currentLeaderEpoch: 4, leaderEpoch: 3 }] },
      ],
    });
    expect(ends.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, leaderEpoch: 3, endOffset: 12 });
    expect(ends.topics[1]?.partitions[0]).toMatchObject({ errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION });
  });
});

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
    expect(calls).toEqual([]);
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
    image = image.apply(broker(1, true).slice(1), 2);
    const response = await ask(Metadata, { topics: ofNames('t'), allowAutoTopicCreation: false });
    expect(response.topics[0]?.partitions[0]).toMatchObject({
      errorCode: ERROR_CODE.LEADER_NOT_AVAILABLE,
      leaderId: -1,
    });
  });

  it('creates missing topics only when both sides allow it', async () => {
    autoCreateTopics = true;
    onController = async () => {
      image = image.apply(topicRecords('new', NOBODY, 1), 2);
      return {};
    };
    await ask(Metadata, { topics: ofNames('new'), allowAutoTopicCreation: false });
    expect(calls).toEqual([]);
    const response = await ask(Metadata, {
      topics: ofNames('new', 't', 'a/b'),
      allowAutoTopicCreation: true,
    });
    expect(calls).toMatchObject([{ api: 'CreateTopics' }]);
    expect(response.topics[0]).toMatchObject({ errorCode: 0, topicId: NOBODY });
  });
});

describe('what the controller decides', () => {
  it('takes the names alone of topics to delete', async () => {
    let asked: unknown;
    onController = async (_api, request) => {
      asked = request;
      return {};
    };
    const topics = [{ name: null, topicId: TOPIC }];
    await ask(DeleteTopics, { topics, topicNames: ['a'], timeoutMs: 10 });
    expect(asked).toEqual({ topics: [...topics, { name: 'a', topicId: ZERO_UUID }], timeoutMs: 10 });
  });

  const create = { topics: [], timeoutMs: 1_000, validateOnly: false };

  it('is passed on by any broker, with the time that is left', async () => {
    controllerId = 2;
    await ask(CreateTopics, create);
    expect(calls).toEqual([{ how: 'send', api: 'CreateTopics', timeoutMs: 1_000 }]);
  });

  it('is asked again while the controller moves', async () => {
    let attempts = 0;
    onController = async () => {
      if (++attempts < 4) throw new KafkaError('NOT_CONTROLLER');
      return { done: true };
    };
    const asked = ask(CreateTopics, create);
    await time.pass(500);
    expect(await asked).toEqual({ done: true });
    expect(attempts).toBe(4);
  });

  it('is refused when no controller answers in time', async () => {
    onController = async () => {
      throw new KafkaError('NOT_CONTROLLER');
    };
    const asked = ask(CreateTopics, create).catch((error: unknown) => error);
    await time.pass(1_100);
    expect(await asked).toEqual(failure('REQUEST_TIMED_OUT'));
    expect(time.nowMs).toBe(2_100);
    expect(logger.lines.at(-1)).toMatchObject({ message: 'Refused a request' });
  });

  it('is not asked again when it may have been done', async () => {
    onController = async () => {
      throw Object.assign(new Error('gone'), { maybeExecuted: true });
    };
    await expect(ask(CreateTopics, create)).rejects.toEqual(failure('REQUEST_TIMED_OUT'));
    expect(calls).toHaveLength(1);
  });

  it('never waits longer than the config allows', async () => {
    await ask(CreateTopics, { ...create, timeoutMs: 10 ** 9 });
    expect(calls[0]?.timeoutMs).toBe(BROKER_DEFAULTS.controllerTimeoutMsMax);
  });

  it('is not passed on a second time', async () => {
    onController = async () => {
      throw new KafkaError('NOT_CONTROLLER');
    };
    await expect(ask(CreateTopics, create, PEER)).rejects.toEqual(failure('NOT_CONTROLLER'));
    expect(calls).toMatchObject([{ how: 'handle' }]);
  });

  it('for brokers alone stays on the controller', async () => {
    onController = async () => {
      throw new KafkaError('NOT_CONTROLLER');
    };
    const request = {
      brokerId: 2,
      brokerEpoch: 102,
      currentMetadataOffset: 1,
      wantFence: false,
      wantShutDown: false,
    };
    await expect(ask(BrokerHeartbeat, request, PEER)).rejects.toEqual(failure('NOT_CONTROLLER'));
    expect(calls).toMatchObject([{ how: 'handle', api: 'BrokerHeartbeat' }]);
  });
});

describe('InitProducerId', () => {
  const init = (producerId = -1, producerEpoch = -1, transactionalId: string | null = null) => ({
    transactionalId,
    transactionTimeoutMs: 0,
    producerId,
    producerEpoch,
  });

  it('hands out ids from one block, which parallel producers share', async () => {
    const handler = brokerRoutes(context).find(({ api }) => api === InitProducerId)?.handler;
    let block = 1_000;
    onController = async (_api, request) => {
      expect(request).toEqual({ brokerId: 1, brokerEpoch: 101 });
      block += 1_000;
      return { throttleTimeMs: 0, errorCode: 0, producerIdStart: block, producerIdLen: 2 };
    };
    const replies = await Promise.all([0, 1, 2].map(() => handler?.(init(), CLIENT)));
    expect(replies.map((reply) => (reply as { producerId: number }).producerId)).toEqual([
      2_000, 2_001, 3_000,
    ]);
    expect(calls.map(({ api }) => api)).toEqual([AllocateProducerIds.name, AllocateProducerIds.name]);
  });

  it('asks again when an answer was lost: a gap in the ids is harmless', async () => {
    let attempts = 0;
    onController = async () => {
      if (++attempts === 1) throw Object.assign(new Error('gone'), { maybeExecuted: true });
      return { errorCode: 0, producerIdStart: 70, producerIdLen: 1 };
    };
    const asked = ask(InitProducerId, init());
    await time.pass(100);
    expect(await asked).toMatchObject({ errorCode: 0, producerId: 70 });
    expect(calls[0]?.timeoutMs).toBe(3_000);
  });

  it('raises the epoch of a known producer, and gives a new id when epochs run out (KIP-360)', async () => {
    expect(await ask(InitProducerId, init(7, 3))).toMatchObject({
      errorCode: 0,
      producerId: 7,
      producerEpoch: 4,
    });
    onController = async () => ({ errorCode: 0, producerIdStart: 50, producerIdLen: 1 });
    expect(await ask(InitProducerId, init(7, 32_767))).toMatchObject({ producerId: 50, producerEpoch: 0 });
  });

  it('refuses transactions, and tells a producer to ask again while the broker registers', async () => {
    expect(await ask(InitProducerId, init(-1, -1, 'tx'))).toMatchObject({
      errorCode: ERROR_CODE.INVALID_REQUEST,
    });
    onController = async () => ({
      errorCode: ERROR_CODE.STALE_BROKER_EPOCH,
      producerIdStart: 0,
      producerIdLen: 0,
    });
    expect(await ask(InitProducerId, init())).toMatchObject({
      errorCode: ERROR_CODE.COORDINATOR_NOT_AVAILABLE,
    });
  });
});

describe('FindCoordinator and groups', () => {
  it('names the active controller', async () => {
    controllerId = 2;
    const request = { keyType: 0, coordinatorKeys: ['g', 'h'] };
    const found = await ask(FindCoordinator, request);
    expect(found.coordinators[1]).toMatchObject({
      key: 'h',
      nodeId: 2,
      host: 'host-2',
      port: 7002,
      errorCode: 0,
    });
    controllerId = undefined;
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
    controllerId = 2;
    onController = async () => ({ ...QUORUM, leaderId: 2 });
    expect(await ask(DescribeQuorum, {})).toMatchObject({ leaderId: 2 });
    await expect(ask(DescribeQuorum, {}, PEER)).rejects.toEqual(failure('NOT_CONTROLLER'));
    controllerId = undefined;
    await expect(ask(DescribeQuorum, {})).rejects.toEqual(failure('NOT_CONTROLLER'));
  });

  it('of configs show every key with its source', async () => {
    image = image.apply([{ type: 'Config', topicId: TOPIC, name: 'retention.ms', value: '5' }], 2);
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
