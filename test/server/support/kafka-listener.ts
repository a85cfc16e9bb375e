import { afterAll, afterEach, beforeAll } from 'vitest';
import { nodeClock } from '../../../src/platform/clock.ts';
import type { Logger } from '../../../src/platform/ports.ts';
import { nodeTimers } from '../../../src/platform/timers.ts';
import { COMPRESSION, type CompressionId } from '../../../src/protocol/compression.ts';
import { errorDefinition } from '../../../src/protocol/errors.ts';
import { Fetch } from '../../../src/protocol/messages/fetch.ts';
import { Metadata } from '../../../src/protocol/messages/metadata.ts';
import { Produce } from '../../../src/protocol/messages/produce.ts';
import { RecordBatchBuilder } from '../../../src/protocol/record-batch-builder.ts';
import { ZERO_UUID } from '../../../src/protocol/uuid.ts';
import { startCluster } from '../../../src/testing/start-cluster.ts';
import { RpcClient } from '../../../src/transport/rpc-client.ts';
import { WsDialer } from '../../../src/transport/ws-dialer.ts';
import { KafkaPeer } from './kafka-peer.ts';

/** A node for the tests of a file, with a topic `t`, and the ways to ask it. */
export function kafkaListener() {
  /** What was logged as an error: a handler that threw what nobody expected. */
  const bugs: unknown[] = [];
  const ignore = () => {};
  const logger: Logger = {
    ...{ debug: ignore, info: ignore, warn: ignore },
    error: (fields, message) => void bugs.push({ message, ...fields }),
    child: () => logger,
  };
  const peers: KafkaPeer[] = [];
  let cluster: Awaited<ReturnType<typeof startCluster>>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 1, topics: ['t'], logger });
  });
  afterEach(() => {
    for (const peer of peers.splice(0)) peer.close();
  });
  afterAll(() => cluster.stop());

  const node = () => cluster.node(1);

  function peer(): KafkaPeer {
    const opened = new KafkaPeer(node().kafkaAddress);
    peers.push(opened);
    return opened;
  }

  function overWebSocket(): RpcClient {
    return new RpcClient({
      dialer: new WsDialer(),
      clock: nodeClock,
      timers: nodeTimers,
      url: node().url,
      clientId: 'test',
    });
  }

  async function describeTopic(name: string) {
    const { topics } = await peer().call(Metadata, 12, metadataOf(name));
    const [topic] = topics;
    if (!topic) throw new Error('no answer');
    return topic;
  }

  async function newTopic(name: string, configs: Readonly<Record<string, string>> = {}): Promise<void> {
    await cluster.client().admin().createTopic({ name, configs });
  }

  /** What became of the records of partition 0. */
  async function produce(name: string, records: readonly Uint8Array[], version = 9) {
    const { responses } = await peer().call(Produce, version, produceOf(name, records));
    const [answer] = responses[0]?.partitionResponses ?? [];
    return { ...answer, error: errorName(answer?.errorCode) };
  }

  async function fetch(name: string, offset: number, { version = 11, ...limits }: FetchLimits = {}) {
    const { responses } = await peer().call(Fetch, version, fetchOf(name, offset, limits));
    const [answer] = responses[0]?.partitions ?? [];
    return { ...answer, error: errorName(answer?.errorCode), bytes: Buffer.concat(answer?.records ?? []) };
  }

  return { bugs, node, peer, overWebSocket, describeTopic, newTopic, produce, fetch };
}

interface FetchLimits {
  readonly version?: number;
  readonly maxBytes?: number;
  readonly maxWaitMs?: number;
}

export const errorName = (code = -1) => errorDefinition(code).name;

export const hello = { clientSoftwareName: 'test', clientSoftwareVersion: '1', catalogueVersion: 0 };

export const metadataOf = (name: string) => ({
  topics: [{ topicId: ZERO_UUID, name }],
  allowAutoTopicCreation: false,
});

export function batch(
  values: readonly string[],
  timestamp = 1000,
  compression: CompressionId = COMPRESSION.none,
): Uint8Array {
  const builder = new RecordBatchBuilder({ sizeBytesMax: 1 << 20, compression });
  values.forEach((value, index) => {
    builder.tryAppend({ timestamp: timestamp + index, key: null, value: Buffer.from(value) });
  });
  return builder.build();
}

export function produceOf(name: string, records: readonly Uint8Array[], acks = -1) {
  return {
    transactionalId: null,
    acks,
    timeoutMs: 5000,
    topicData: [{ name, topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }],
  };
}

export function fetchOf(name: string, fetchOffset: number, limits: FetchLimits = {}) {
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

/** A request header without a body: API key, version, correlation id, client id. */
export function header(apiKey: number, apiVersion: number, clientId: string | null = 'x'): Buffer {
  const id = clientId === null ? Buffer.alloc(0) : Buffer.from(clientId);
  const bytes = Buffer.alloc(10 + id.length);
  bytes.writeInt16BE(apiKey, 0);
  bytes.writeInt16BE(apiVersion, 2);
  bytes.writeInt32BE(77, 4);
  bytes.writeInt16BE(clientId === null ? -1 : id.length, 8);
  id.copy(bytes, 10);
  return bytes;
}
