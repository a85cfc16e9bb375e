import { expect, test } from 'vitest';
import { SimWorld } from '../../chaos/sim/world.ts';
import { ListGroups } from '../../src/protocol/messages/list-groups.ts';
import { RpcClient } from '../../src/transport/rpc-client.ts';
import { route } from '../../src/transport/rpc-route.ts';
import { RpcServer } from '../../src/transport/rpc-server.ts';

const REQUEST = { statesFilter: [], typesFilter: [] };
const SILENCE_MS_MAX = 1000;

/** A server that answers after `answerMs`, and a client whose connections cannot find a vanished peer by themselves. */
async function pair(answerMs: number) {
  const world = new SimWorld({ seed: 1 });
  Object.assign(world.network.conditions, { halfOpenTimeoutMs: 1e9 });
  const server = world.node('server');
  const { network, timers, logger } = server.platform;
  const answer = () =>
    new Promise<{ throttleTimeMs: number; errorCode: number; groups: never[] }>((resolve) => {
      timers.set(answerMs, () => resolve({ throttleTimeMs: 0, errorCode: 0, groups: [] }));
    });
  const rpc = new RpcServer({ network, timers, logger, routes: [route(ListGroups, answer)] });
  await rpc.listen({ host: '0.0.0.0', port: 1 });
  const client = world.node('client').platform;
  const dialer = {
    silenceMsMax: SILENCE_MS_MAX,
    connect: client.network.connect.bind(client.network),
  };
  const closes: string[] = [];
  const calls = new RpcClient({
    ...{ dialer, clock: client.clock, timers: client.timers, url: 'ws://server:1', clientId: null },
    onClose: ({ code }) => closes.push(code),
  });
  const outcome = (timeoutMs: number) =>
    calls.call(ListGroups, REQUEST, { timeoutMs }).then(
      () => 'answered',
      (error: { code: string }) => error.code,
    );
  return { world, server, closes, outcome };
}

test('a peer that vanishes without a word is found while an answer is awaited', async () => {
  const { world, closes, outcome } = await pair(60_000);
  const call = outcome(120_000);
  await world.run(world.nowMs + 500);
  world.network.cut('client', 'server');
  await world.run(world.nowMs + 4 * SILENCE_MS_MAX);
  expect(closes).toEqual(['timeout']);
  expect(await call).toBe('disconnected');
});

test('a peer that takes its time is asked for a sign of life, and believed', async () => {
  const { world, closes, outcome } = await pair(60_000);
  const call = outcome(120_000);
  await world.run(world.nowMs + 61_000);
  expect(await call).toBe('answered');
  expect(closes).toEqual([]);
});

test('nobody asks while nothing is awaited', async () => {
  const { world, closes, outcome } = await pair(1);
  const call = outcome(1000);
  await world.run(world.nowMs + 500);
  expect(await call).toBe('answered');
  world.network.cut('client', 'server');
  await world.run(world.nowMs + 60_000);
  expect(closes).toEqual([]);
});
