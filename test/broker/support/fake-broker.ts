/** A broker whose layers below are fakes, for the tests of its handlers. */
import { expect } from 'vitest';
import { BROKER_DEFAULTS, type BrokerContext, type RequestContext } from '../../../src/broker/context.ts';
import { brokerRoutes } from '../../../src/broker/handlers.ts';
import { Refusals } from '../../../src/broker/refusals.ts';
import { GroupCoordinator } from '../../../src/coordinator/coordinator.ts';
import { MetadataImage } from '../../../src/metadata/image.ts';
import type { MetadataRecord } from '../../../src/metadata/records.ts';
import { decodeRequestBody, decodeRequestHeader, encodeRequest } from '../../../src/protocol/codec.ts';
import type { DescribeQuorumResponse } from '../../../src/protocol/messages/describe-quorum.ts';
import type { FetchRequest, FetchResponse } from '../../../src/protocol/messages/fetch.ts';
import type { ProduceResponse } from '../../../src/protocol/messages/produce.ts';
import type { Api } from '../../../src/protocol/schema.ts';
import { FakeLog, FakeLogger, FakeTime, topicRecords } from '../../coordinator/support/fakes.ts';

export const TOPIC = 'AQEBAQEBAQEBAQEBAQEBAQ';
export const OTHER = 'AgICAgICAgICAgICAgICAg';
export const NOBODY = 'AwMDAwMDAwMDAwMDAwMDAw';
export const CLUSTER = 'BAQEBAQEBAQEBAQEBAQEBA';
const NODE = 1;

export const QUORUM: DescribeQuorumResponse = {
  errorCode: 0,
  leaderId: NODE,
  leaderEpoch: 7,
  highWatermark: 40,
  currentVoters: [],
  observers: [],
  catalogueLevel: 3,
  catalogueHeldBackBy: [],
};

type Call = (api: { readonly name: string }, request: unknown, timeoutMs?: number) => Promise<unknown>;

/** What the handlers see around them, and what the tests turn about it. */
interface World {
  image: MetadataImage;
  time: FakeTime;
  logger: FakeLogger;
  controllerId: number | undefined;
  autoCreateTopics: boolean;
  calls: { readonly how: 'handle' | 'send'; readonly api: string; readonly timeoutMs?: number }[];
  onController: Call;
  replicas: {
    produced: Partial<ProduceResponse['responses'][number]['partitionResponses'][number]>;
    fetched: number;
  };
  context: BrokerContext;
}

export const world = {} as World;

export function broker(brokerId: number, fenced: boolean): MetadataRecord[] {
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

/** Two live brokers and a fenced one, two topics, and a controller here that agrees to everything. */
export function resetWorld(): void {
  world.image = MetadataImage.EMPTY.apply(
    [
      ...broker(1, false),
      ...broker(2, false),
      ...broker(3, true),
      ...topicRecords('t', TOPIC, 2, { replicas: [1, 2, 3], isr: [1, 2], elr: [3], leaderEpoch: 4 }),
      ...topicRecords('led-elsewhere', OTHER, 1, { replicas: [2], leader: 2, leaderEpoch: 6 }),
    ],
    1,
  );
  world.time = new FakeTime();
  world.logger = new FakeLogger();
  world.controllerId = NODE;
  world.autoCreateTopics = false;
  world.calls = [];
  world.onController = async () => ({});
  world.replicas = { produced: {}, fetched: 0 };
  const ask =
    (how: 'handle' | 'send') => (api: { readonly name: string }, request: unknown, timeoutMs?: number) => {
      world.calls.push({ how, api: api.name, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
      return world.onController(api, request, timeoutMs);
    };
  const { time, logger } = world;
  const timers = time;
  world.context = {
    nodeId: NODE,
    get config() {
      const shown = [
        { name: 'node.id', value: '1', type: 'int', isDefault: false, documentation: null } as const,
      ];
      return { ...BROKER_DEFAULTS, autoCreateTopics: world.autoCreateTopics, logDir: '/data/log', shown };
    },
    clock: time,
    timers,
    logger,
    refusals: new Refusals({ clock: time, logger }),
    coordinator: new GroupCoordinator({ log: new FakeLog(), clock: time, timers, logger }),
    controller: {
      controllerId: () => world.controllerId,
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
        ...world.replicas.produced,
      }),
      fetch: async (request) => fetchResponse(request, world.replicas.fetched),
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
    image: () => world.image,
    clusterId: () => CLUSTER,
    brokerEpoch: () => 101,
    describeQuorum: () => QUORUM,
  };
}

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
export function batchOfMagic(magic: number): Uint8Array {
  const batch = new Uint8Array(61);
  batch[16] = magic;
  return batch;
}

export const CLIENT: RequestContext = {
  clientId: 'test',
  apiVersion: 0,
  reserveAnswer: (bytesMax) => bytesMax,
  caller: { remote: '127.0.0.1:5', listener: 'ws', closed: false, onClose: () => {}, close: () => {} },
};
export const PEER: RequestContext = { ...CLIENT, clientId: 'node-2' };

/** Asks the way the server does: by the table. */
export async function ask<Request, Response>(
  api: Api<Request, Response>,
  request: Request,
  from = CLIENT,
): Promise<Response> {
  const found = brokerRoutes(world.context).find((route) => route.api.key === api.key);
  const asRead = decodeRequestBody(
    api,
    decodeRequestHeader(encodeRequest(api, 0, 1, from.clientId, request)),
  );
  return (await found?.handler(asRead, from)) as Response;
}

export const failure = (code: string) => expect.objectContaining({ code });
