import { afterEach, expect, test } from 'vitest';
import { nodeClock } from '../../src/platform/clock.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { nodeTimers } from '../../src/platform/timers.ts';
import { encodeRequest } from '../../src/protocol/codec.ts';
import { Fetch, type FetchRequest, type FetchResponse } from '../../src/protocol/messages/fetch.ts';
import { RpcClient } from '../../src/transport/rpc-client.ts';
import { route } from '../../src/transport/rpc-route.ts';
import { RpcServer } from '../../src/transport/rpc-server.ts';
import { WsNetwork } from '../../src/transport/ws-network.ts';

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA';
const logger = createLogger({ level: 'silent' });
const network = new WsNetwork({ logger });
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const fetchRequest: FetchRequest = {
  replicaState: { replicaId: -1, replicaEpoch: -1 },
  maxWaitMs: 0,
  minBytes: 1,
  maxBytes: 1,
  isolationLevel: 0,
  topics: [],
  rackId: '',
};

function fetchResponse(records: Uint8Array[]): FetchResponse {
  const partition = {
    partitionIndex: 0,
    errorCode: 0,
    highWatermark: 1,
    lastStableOffset: 1,
    logStartOffset: 0,
    divergingEpoch: { epoch: -1, endOffset: -1 },
    currentLeader: { leaderId: 1, leaderEpoch: 1 },
    preferredReadReplica: -1,
    records,
  };
  return { throttleTimeMs: 0, errorCode: 0, responses: [{ topicId: TOPIC_ID, partitions: [partition] }] };
}

async function serve(records: Uint8Array[]) {
  const state = { started: 0 };
  const server = new RpcServer({
    network,
    timers: nodeTimers,
    logger,
    routes: [
      route(Fetch, () => {
        state.started += 1;
        return fetchResponse(records);
      }),
    ],
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  cleanups.push(() => server.close());
  return { state, url: `ws://127.0.0.1:${port}` };
}

test('records of any size come back as they were', async () => {
  const records = [100, 5000, 70_000, 3 << 20].map((length, index) => new Uint8Array(length).fill(index + 1));
  const { url } = await serve(records);
  const client = new RpcClient({
    dialer: network,
    clock: nodeClock,
    timers: nodeTimers,
    url,
    clientId: null,
  });
  cleanups.push(() => client.close());
  const answers = await Promise.all(Array.from({ length: 5 }, () => client.call(Fetch, fetchRequest)));
  for (const { responses } of answers) {
    const received = Buffer.concat([...(responses[0]?.partitions[0]?.records ?? [])]);
    expect(received.equals(Buffer.concat(records))).toBe(true);
  }
});

test('a caller that reads nothing cannot fill the memory of the server', async () => {
  const { state, url } = await serve([new Uint8Array(1 << 20)]);
  let received = 0;
  const connection = network.connect(
    url,
    { messageBytesMax: 1 << 22, connectTimeoutMs: 2000 },
    {
      onClose: () => {},
      onMessage: () => {
        received += 1;
      },
    },
  );
  cleanups.push(() => connection.close());
  connection.setReading(false);
  for (let id = 1; id <= 300; id += 1) connection.send(encodeRequest(Fetch, 0, id, null, fetchRequest));
  // Others are served meanwhile; by their answers the greedy caller has had its turn too.
  const other = new RpcClient({ dialer: network, clock: nodeClock, timers: nodeTimers, url, clientId: null });
  cleanups.push(() => other.close());
  for (let index = 0; index < 20; index += 1) await other.call(Fetch, fetchRequest);
  // 16 MiB of answers, one turn of starts, and what the kernels hold.
  expect(state.started - 20).toBeLessThan(64);
  connection.setReading(true);
  await expect.poll(() => received, { timeout: 10_000 }).toBe(300);
});
