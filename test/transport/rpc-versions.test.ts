import { expect, test } from 'vitest';
import { SimWorld } from '../../chaos/sim/world.ts';
import { api, int32, struct } from '../../src/protocol/schema.ts';
import { RpcClient } from '../../src/transport/rpc-client.ts';
import { route } from '../../src/transport/rpc-route.ts';
import { RpcServer } from '../../src/transport/rpc-server.ts';

const fields = struct({
  id: int32(),
  more: int32().default(-1).sinceCatalogue(3, { ignorable: true }),
});
const versions = { minVersion: 0, maxVersion: 0, request: fields, response: fields };
const Old = api({ key: 20_000, name: 'Old', ...versions });
const New = api({ key: 20_001, name: 'New', since: 3, ...versions });

/** Two nodes of these versions; the server answers with what it was asked, and says what it heard. */
async function pair(clientSpeaks: number, serverSpeaks: number) {
  const world = new SimWorld({ seed: 1 });
  const server = world.node('server').platform;
  const heard: unknown[] = [];
  const echo = (request: { id: number; more: number }) => {
    heard.push(request);
    return { id: request.id, more: 7 };
  };
  await new RpcServer({
    ...{ network: server.network, timers: server.timers, logger: server.logger },
    catalogueVersion: serverSpeaks,
    routes: [route(Old, echo), route(New, echo)],
  }).listen({ host: '0.0.0.0', port: 1 });
  const { network, clock, timers } = world.node('client').platform;
  const at = { url: 'ws://server:1', clientId: null, catalogueVersion: clientSpeaks };
  const client = new RpcClient({ dialer: network, clock, timers, ...at });
  return { world, client, heard };
}

test.each([
  [3, 3, 5, 7],
  [2, 3, -1, -1],
  [3, 2, -1, -1],
  [2, 2, -1, -1],
  [4, 3, 5, 7],
  // What a link damaged, or nobody of ours sent.
  [-18, 3, -1, -1],
])('a client of version %i and a server of %i speak what both know', async (mine, its, asked, answered) => {
  const { world, client, heard } = await pair(mine, its);
  const answer = await world.settle(client.call(Old, { id: 1, more: 5 }));
  expect(heard).toEqual([{ id: 1, more: asked }]);
  expect(answer).toEqual({ id: 1, more: answered });
});

test('an API is not served before the version that it came with', async () => {
  const { world, client } = await pair(3, 2);
  await expect(world.settle(client.call(New, { id: 1, more: 5 }))).rejects.toMatchObject({
    code: 'unsupported-version',
  });
  const newest = await pair(3, 3);
  expect(await newest.world.settle(newest.client.call(New, { id: 1, more: 5 }))).toMatchObject({ id: 1 });
});
