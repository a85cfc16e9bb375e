import { describe, expect, test } from 'vitest';
import { SimWorld } from '../../chaos/sim/world.ts';
import { decodeResponseBody, decodeResponseHeader, encodeRequest } from '../../src/protocol/codec.ts';
import { KafkaError } from '../../src/protocol/errors.ts';
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts';
import { ListGroups } from '../../src/protocol/messages/list-groups.ts';
import { Produce, type ProduceRequest, type ProduceResponse } from '../../src/protocol/messages/produce.ts';
import type { RequestOf } from '../../src/protocol/schema.ts';
import { RpcClient, type RpcClientOptions } from '../../src/transport/rpc-client.ts';
import { RpcFailure } from '../../src/transport/rpc-error.ts';
import { type Handler, type Route, route } from '../../src/transport/rpc-route.ts';
import { RpcServer, type RpcServerOptions } from '../../src/transport/rpc-server.ts';

const TOPIC_ID = 'AAAAAAAAAAAAAAAAAAAAAA';
const listGroups: RequestOf<typeof ListGroups> = { statesFilter: [], typesFilter: [] };

function produceRequest(index: number, bytes = 10, acks = -1): ProduceRequest {
  const records = [new Uint8Array(bytes).fill(index)];
  return {
    transactionalId: null,
    acks,
    timeoutMs: 1000,
    topicData: [{ topicId: TOPIC_ID, partitionData: [{ index, records }] }],
  };
}

/** Answers with the number of record bytes as the offset. */
function produceResponse({ topicData }: ProduceRequest): ProduceResponse {
  const responses = topicData.map(({ topicId, partitionData }) => ({
    topicId,
    partitionResponses: partitionData.map(({ index, records }) => ({
      index,
      errorCode: 0,
      baseOffset: records.reduce((sum, part) => sum + part.length, 0),
      logAppendTimeMs: -1,
      logStartOffset: 0,
      errorMessage: null,
      currentLeader: { leaderId: -1, leaderEpoch: -1 },
    })),
  }));
  return { responses, throttleTimeMs: 0 };
}

/** A connection to the server without a client on top. */
function dialRaw(world: SimWorld, onMessage: (parts: Uint8Array[]) => void) {
  const options = { messageBytesMax: 1 << 20, connectTimeoutMs: 1000 };
  const { network } = world.node('raw').platform;
  return network.connect('ws://server:7000', options, { onMessage, onClose: () => {} });
}

type ProduceHandler = Handler<ProduceRequest, ProduceResponse>;

async function setup(
  handler: ProduceHandler = produceResponse,
  options: { limits?: RpcServerOptions['limits']; client?: Partial<RpcClientOptions>; routes?: Route[] } = {},
) {
  const world = new SimWorld({ seed: 1 });
  const serve = async () => {
    const { network, timers, logger } = world.node('server').platform;
    const routes = [route(Produce, handler), ...(options.routes ?? [])];
    const server = new RpcServer({ network, timers, logger, routes, limits: options.limits ?? {} });
    await server.listen({ host: '0.0.0.0', port: 7000 });
    return server;
  };
  const server = await serve();
  const { network, clock, timers } = world.node('client').platform;
  const client = new RpcClient({
    dialer: network,
    clock,
    timers,
    url: 'ws://server:7000',
    clientId: 'test',
    ...options.client,
  });
  const produce = (index: number, bytes?: number) =>
    client
      .call(Produce, produceRequest(index, bytes))
      .then(({ responses }) => responses[0]?.partitionResponses[0]?.baseOffset);
  return { world, server, client, produce, serve };
}

/** A promise per call that the test settles, and how many were waiting at once at most. */
function gate() {
  const waiting: (() => void)[] = [];
  const started: number[] = [];
  const handler: ProduceHandler = (request) => {
    started.push(request.topicData[0]?.partitionData[0]?.index ?? -1);
    return new Promise((resolve) => waiting.push(() => resolve(produceResponse(request))));
  };
  return { waiting, started, handler };
}

describe('RpcClient and RpcServer', () => {
  test('a request with record batches is answered, over one connection', async () => {
    const { world, produce, server } = await setup();
    const answers = await world.settle(Promise.all([1, 2, 3].map((index) => produce(index, index * 1000))));
    expect(answers).toEqual([1000, 2000, 3000]);
    expect(server.connectionCount).toBe(1);
  });

  test('requests start in the order of the calls and are answered as they complete', async () => {
    const { waiting, started, handler } = gate();
    const { world, produce } = await setup(handler);
    const answered: number[] = [];
    for (let index = 0; index < 20; index += 1) void produce(index).then(() => answered.push(index));
    await world.run(100);
    expect(started).toEqual(Array.from({ length: 20 }, (_, index) => index));
    waiting[7]?.();
    await world.run(200);
    waiting[3]?.();
    await world.run(300);
    expect(answered).toEqual([7, 3]);
  });

  test('the client keeps to its in-flight cap, and queues the rest', async () => {
    const { waiting, handler, started } = gate();
    const { world, produce, client } = await setup(handler, {
      client: { inFlightRequestsMax: 3, queuedRequestsMax: 5 },
    });
    const calls = Array.from({ length: 5 }, (_, index) => produce(index));
    await world.run(100);
    expect(started.length).toBe(3);
    expect(client.pendingRequests).toBe(5);
    const more = [5, 6, 7].map((index) => produce(index));
    await expect(produce(8)).rejects.toMatchObject({ code: 'overloaded', retriable: true });
    while (started.length < 8 || waiting.length > 0) {
      waiting.shift()?.();
      await world.run(world.nowMs + 5);
    }
    expect((await Promise.all([...calls, ...more])).length).toBe(8);
  });

  test('the server stops reading at its in-flight cap, and resumes below it', async () => {
    const { waiting, handler, started } = gate();
    const { world, produce } = await setup(handler, { limits: { inFlightRequestsMax: 4 } });
    const calls = Array.from({ length: 50 }, (_, index) => produce(index));
    await world.run(100);
    expect(started.length).toBe(4);
    while (started.length < 50 || waiting.length > 0) {
      expect(waiting.length).toBeLessThanOrEqual(4);
      waiting.shift()?.();
      await world.run(world.nowMs + 5);
    }
    expect((await Promise.all(calls)).length).toBe(50);
    expect(started).toEqual([...started].sort((left, right) => left - right));
  });

  test('a caller that does not read its answers is not read from either', async () => {
    let started = 0;
    const handler: ProduceHandler = (request) => {
      started += 1;
      const { responses, throttleTimeMs } = produceResponse(request);
      return { responses: Array.from({ length: 20 }, () => responses).flat(), throttleTimeMs };
    };
    const { world } = await setup(handler, { limits: { bufferedBytesMax: 1000 } });
    world.network.conditions.windowBytes = 0;
    const connection = dialRaw(world, () => {});
    await world.run(10);
    connection.setReading(false);
    for (let id = 1; id <= 500; id += 1)
      connection.send(encodeRequest(Produce, 0, id, null, produceRequest(id)));
    await world.run(1000);
    expect(started).toBeLessThan(20);
    connection.setReading(true);
    await world.run(5000);
    expect(started).toBe(500);
  });

  test('answers under way share what a caller may be sent; more requests wait until there is room', async () => {
    const granted: number[] = [];
    const { waiting, handler } = gate();
    const reserving: ProduceHandler = (request, context) => {
      granted.push(context.reserveAnswer(800));
      return handler(request, context);
    };
    const { world, produce } = await setup(reserving, { limits: { bufferedBytesMax: 1000 } });
    const answers = [1, 2, 3].map((index) => produce(index));
    await world.run(1000);
    expect(granted).toEqual([800, 200]);
    waiting.shift()?.();
    await world.settle(answers[0] ?? Promise.reject());
    await world.run(world.nowMs + 1000);
    expect(granted).toEqual([800, 200, 800]);
    for (const settle of waiting.splice(0)) settle();
    await world.settle(Promise.all(answers));
  });

  test('a reservation can be given back, and is taken down to what fits', async () => {
    const granted: number[][] = [];
    const handler: ProduceHandler = (request, { reserveAnswer }) => {
      granted.push([1500, 300, 0, 900].map((bytes) => reserveAnswer(bytes)));
      return produceResponse(request);
    };
    const { world, produce } = await setup(handler, { limits: { bufferedBytesMax: 1000 } });
    for (const index of [1, 2]) await world.settle(produce(index));
    expect(granted).toEqual([
      [1000, 300, 0, 900],
      [1000, 300, 0, 900],
    ]);
  });

  test('errors with a code reach the caller; a bug is an unknown server error, and logged', async () => {
    const handler: ProduceHandler = ({ timeoutMs }) => {
      if (timeoutMs === 1) throw new KafkaError('NOT_LEADER_OR_FOLLOWER', 'broker 2 leads');
      throw new TypeError('undefined is not a function');
    };
    const { world, client } = await setup(handler);
    const refused = client.call(Produce, { ...produceRequest(1), timeoutMs: 1 });
    await expect(world.settle(refused)).rejects.toMatchObject({
      code: 'NOT_LEADER_OR_FOLLOWER',
      message: 'broker 2 leads',
    });
    await expect(world.settle(client.call(Produce, produceRequest(1)))).rejects.toMatchObject({
      code: 'UNKNOWN_SERVER_ERROR',
    });
    expect(world.log.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
      'A request handler failed',
    ]);
  });

  test('an API that is not served is refused before it is sent, and a bad request by the encoder', async () => {
    const { world, client } = await setup();
    await expect(world.settle(client.call(ListGroups, listGroups))).rejects.toMatchObject({
      code: 'unsupported-version',
    });
    const bad = { ...produceRequest(1), timeoutMs: 2 ** 40 };
    await expect(world.settle(client.call(Produce, bad))).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(world.settle(client.call(Produce, produceRequest(1)))).resolves.toBeDefined();
  });

  test('an unknown API or version is answered with UNSUPPORTED_VERSION', async () => {
    const { world } = await setup();
    const answers: [number, number][] = [];
    const connection = dialRaw(world, (parts) => {
      const frame = decodeResponseHeader(parts);
      answers.push([frame.correlationId, decodeResponseBody(RpcFailure, frame).errorCode]);
    });
    connection.send(encodeRequest(DeleteTopics, 0, 5, null, { topics: [], timeoutMs: 1 }));
    connection.send(encodeRequest(Produce, 99, 6, null, produceRequest(1)));
    await world.run(100);
    expect(answers).toEqual([
      [~5, 35],
      [~6, 35],
    ]);
  });

  test('acks=0 gets no answer and costs no place in flight', async () => {
    const seen: number[] = [];
    const handler: ProduceHandler = (request) => {
      seen.push(request.topicData[0]?.partitionData[0]?.index ?? -1);
      return undefined;
    };
    const { world, client } = await setup(handler, { client: { inFlightRequestsMax: 1 } });
    await world.settle(
      Promise.all([1, 2, 3].map((index) => client.send(Produce, produceRequest(index, 10, 0)))),
    );
    await world.run(100);
    expect(seen).toEqual([1, 2, 3]);
    expect(client.pendingRequests).toBe(0);
  });

  test('calls time out, queued or sent, and a late answer is ignored', async () => {
    const { waiting, handler } = gate();
    const { world, client } = await setup(handler, { client: { inFlightRequestsMax: 1 } });
    const calls = [1, 2].map((index) =>
      client.call(Produce, produceRequest(index), { timeoutMs: 100 * index }),
    );
    await expect(world.settle(calls[0] as Promise<unknown>)).rejects.toMatchObject({
      code: 'timeout',
      maybeExecuted: true,
    });
    expect(world.nowMs).toBe(100);
    waiting[0]?.();
    await world.run(150);
    waiting[1]?.();
    await expect(world.settle(calls[1] as Promise<unknown>)).resolves.toBeDefined();
  });

  test('a lost server fails what was under way; the next call connects again', async () => {
    const { handler } = gate();
    const reasons: string[] = [];
    const { world, client, serve } = await setup(handler, {
      client: { onClose: ({ code }) => reasons.push(code) },
    });
    const call = client.call(Produce, produceRequest(1));
    await world.run(100);
    world.node('server').processCrash();
    await expect(world.settle(call)).rejects.toMatchObject({
      code: 'disconnected',
      maybeExecuted: true,
      reason: { code: 'reset' },
    });
    const refused = client.call(Produce, produceRequest(1));
    await expect(world.settle(refused)).rejects.toMatchObject({
      maybeExecuted: false,
      reason: { code: 'refused' },
    });
    world.node('server').restart();
    await serve();
    const late = client.call(Produce, produceRequest(1), { timeoutMs: 500 });
    await expect(world.settle(late)).rejects.toMatchObject({ code: 'timeout' });
    expect(reasons).toEqual(['reset', 'refused']);
  });

  test('a server that accepts and says nothing is given up', async () => {
    const { world, client, produce } = await setup();
    await world.settle(produce(1));
    client.close();
    await expect(produce(1)).rejects.toMatchObject({ code: 'closed' });
    await world.node('mute').platform.network.listen({
      host: '0.0.0.0',
      port: 1,
      messageBytesMax: 1000,
      connectionsMax: 10,
      onConnection: () => ({ onMessage: () => {}, onClose: () => {} }),
    });
    const { network, clock, timers } = world.node('client').platform;
    const muted = new RpcClient({
      dialer: network,
      clock,
      timers,
      url: 'ws://mute:1',
      clientId: null,
      connectTimeoutMs: 300,
    });
    await expect(world.settle(muted.call(Produce, produceRequest(1)))).rejects.toMatchObject({
      code: 'disconnected',
      reason: { code: 'timeout' },
    });
  });

  test('closing the client fails what is under way, and the server forgets it', async () => {
    const { handler } = gate();
    const closed: number[] = [];
    const { world, client, server } = await setup((request, context) => {
      context.caller.onClose(() => closed.push(context.caller.connectionId));
      return handler(request, context);
    });
    const call = client.call(Produce, produceRequest(1));
    await world.run(100);
    client.close();
    await expect(call).rejects.toMatchObject({ code: 'closed', maybeExecuted: true });
    await world.run(200);
    expect(closed).toEqual([1]);
    expect(server.connectionCount).toBe(0);
  });

  test('an address that is none fails the call, not the process', async () => {
    const { world } = await setup();
    const { network, clock, timers } = world.node('client').platform;
    const lost = new RpcClient({ dialer: network, clock, timers, url: 'nonsense', clientId: null });
    await expect(lost.call(Produce, produceRequest(1))).rejects.toMatchObject({
      reason: { code: 'unreachable' },
    });
  });
});
