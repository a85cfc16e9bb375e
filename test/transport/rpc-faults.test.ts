import { expect, test } from 'vitest';
import { SimWorld } from '../../chaos/sim/world.ts';
import { ListGroups } from '../../src/protocol/messages/list-groups.ts';
import { RpcClient } from '../../src/transport/rpc-client.ts';
import { RpcError } from '../../src/transport/rpc-error.ts';
import { route } from '../../src/transport/rpc-route.ts';
import { RpcServer } from '../../src/transport/rpc-server.ts';

const TIMEOUT_MS = 1000;

/** Calls under resets, cuts, pauses and crashes; counts how they ended. */
async function callUnderFaults(seed: number) {
  const world = new SimWorld({ seed });
  const random = world.random.fork('test');
  Object.assign(world.network.conditions, { resetRate: 0.005, halfOpenTimeoutMs: 300 });
  const server = world.node('server');
  const serve = async () => {
    const { network, timers, logger } = server.platform;
    const handler = () =>
      new Promise<{ throttleTimeMs: number; errorCode: number; groups: never[] }>((resolve) => {
        timers.set(random.between(0, 30), () => resolve({ throttleTimeMs: 0, errorCode: 0, groups: [] }));
      });
    const rpc = new RpcServer({ network, timers, logger, routes: [route(ListGroups, handler)] });
    await rpc.listen({ host: '0.0.0.0', port: 1 });
  };
  void serve();
  const { network, clock, timers } = world.node('client').platform;
  const client = new RpcClient({
    dialer: network,
    clock,
    timers,
    url: 'ws://server:1',
    clientId: null,
    connectTimeoutMs: 200,
  });
  const ends = { answered: 0, failed: 0, calls: 0 };
  const call = () => {
    ends.calls += 1;
    client.call(ListGroups, { statesFilter: [], typesFilter: [] }, { timeoutMs: TIMEOUT_MS }).then(
      () => {
        ends.answered += 1;
      },
      (error) => {
        if (!(error instanceof RpcError)) throw error;
        ends.failed += 1;
      },
    );
  };
  for (let round = 0; round < 60; round += 1) {
    for (let calls = random.between(0, 20); calls > 0; calls -= 1) call();
    const fault = random.between(0, 9);
    if (fault === 0) world.network.cut('client', 'server');
    if (fault === 1) world.network.cutOneWay('server', 'client');
    if (fault === 2) server.pause();
    if (fault === 3 && server.running) server.processCrash();
    if (fault === 4 && server.running) server.powerLoss();
    if (fault >= 5) {
      world.network.heal();
      if (server.running) server.resume();
      else {
        server.restart();
        void serve();
      }
    }
    await world.run(world.nowMs + random.between(0, 400));
  }
  await world.run(world.nowMs + TIMEOUT_MS);
  const pending = client.pendingRequests;
  world.network.heal();
  if (server.running) server.resume();
  else server.restart();
  client.close();
  // A side that a cut left half-open notices by its ping timeout at the latest.
  await world.run(world.nowMs + world.network.conditions.halfOpenTimeoutMs + 2000);
  return { ends, pending, open: world.network.openConnections, hash: world.traceHash };
}

test('under any faults every call ends in time, nothing leaks, and a seed replays to the bit', async () => {
  let answered = 0;
  for (let seed = 1; seed <= 25; seed += 1) {
    const { ends, pending, open, hash } = await callUnderFaults(seed);
    expect({ seed, pending, ended: ends.answered + ends.failed, open }).toEqual({
      seed,
      pending: 0,
      ended: ends.calls,
      open: 0,
    });
    answered += ends.answered;
    if (seed % 10 === 0) expect((await callUnderFaults(seed)).hash).toBe(hash);
  }
  expect(answered).toBeGreaterThan(1000);
});
