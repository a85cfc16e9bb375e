import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SimWorld } from '../../chaos/sim/world.ts';
import { encodeRequest } from '../../src/protocol/codec.ts';
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts';
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts';
import { ListGroups } from '../../src/protocol/messages/list-groups.ts';
import { Produce } from '../../src/protocol/messages/produce.ts';
import { RpcClient } from '../../src/transport/rpc-client.ts';
import { route } from '../../src/transport/rpc-route.ts';
import { RpcServer } from '../../src/transport/rpc-server.ts';

const hello = { clientSoftwareName: 'fuzz', clientSoftwareVersion: '1', catalogueVersion: 1 };

/** A valid request with some of its bytes changed, or cut short, or plain noise. */
const frame = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .tuple(
      fc.constantFrom(ApiVersions, Produce, FindCoordinator, ListGroups),
      fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 4 }),
      fc.option(fc.nat(300)),
    )
    .map(([target, changes, length]) => {
      const api = { ...ApiVersions, key: target.key };
      const bytes = Buffer.concat(encodeRequest(api, 0, 1, 'fuzz', hello)).subarray(0, length ?? undefined);
      for (const [position, value] of changes) if (position < bytes.length) bytes[position] = value;
      return new Uint8Array(bytes);
    }),
);

test('no frame crashes the server, and others are served all the same', async () => {
  const world = new SimWorld({ seed: 1 });
  const { network, timers, logger } = world.node('server').platform;
  const refuse = () => {
    throw new Error('never reached with nonsense that matters');
  };
  const routes = [route(Produce, refuse), route(ListGroups, refuse), route(FindCoordinator, refuse)];
  await new RpcServer({ network, timers, logger, routes }).listen({ host: '0.0.0.0', port: 1 });
  const client = world.node('client').platform;
  const good = new RpcClient({
    dialer: client.network,
    clock: client.clock,
    timers: client.timers,
    url: 'ws://server:1',
    clientId: null,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 8 }), async (frames) => {
      const connection = client.network.connect(
        'ws://server:1',
        { messageBytesMax: 1 << 20, connectTimeoutMs: 1000 },
        { onMessage: () => {}, onClose: () => {} },
      );
      for (const bytes of frames) connection.send([bytes]);
      await world.run(world.nowMs + 50);
      connection.close();
      const answer = await world.settle(good.call(ApiVersions, hello));
      expect(answer.apiKeys.map(({ apiKey }) => apiKey)).toEqual([0, 10, 16, 18]);
    }),
    { numRuns: 300 },
  );
  expect(world.node('server').running).toBe(true);
});

test('no answer crashes the client', async () => {
  const world = new SimWorld({ seed: 1 });
  let answers: Uint8Array[] = [];
  await world.node('server').platform.network.listen({
    host: '0.0.0.0',
    port: 1,
    messageBytesMax: 1 << 20,
    connectionsMax: 10,
    onConnection: (connection) => ({
      onMessage: () => {
        for (const bytes of answers) connection.send([bytes]);
      },
      onClose: () => {},
    }),
  });
  const { network, clock, timers } = world.node('client').platform;
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { minLength: 1, maxLength: 4 }), async (frames) => {
      answers = frames;
      const client = new RpcClient({
        dialer: network,
        clock,
        timers,
        url: 'ws://server:1',
        clientId: null,
        connectTimeoutMs: 100,
      });
      await expect(world.settle(client.call(ApiVersions, hello, { timeoutMs: 200 }))).rejects.toThrow();
      client.close();
    }),
    { numRuns: 300 },
  );
});
