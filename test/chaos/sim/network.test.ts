import { describe, expect, test } from 'vitest';
import { SimWorld } from '../../../chaos/sim/world.ts';
import type { CloseReason, Connection, ConnectionHandlers } from '../../../src/platform/ports.ts';

const LIMITS = { messageBytesMax: 1 << 20, connectTimeoutMs: 1000 };

/** A server on `node` that answers every message with the same bytes. */
async function echoServer(world: SimWorld, name: string) {
  const closes: CloseReason[] = [];
  const accepted: Connection[] = [];
  const listener = await world.node(name).platform.network.listen({
    host: '0.0.0.0',
    port: 9000,
    messageBytesMax: 1 << 20,
    connectionsMax: 100,
    onConnection: (connection): ConnectionHandlers => {
      accepted.push(connection);
      return { onMessage: (parts) => connection.send(parts), onClose: (reason) => closes.push(reason) };
    },
  });
  return { listener, closes, accepted };
}

function dial(world: SimWorld, from: string, url: string) {
  const got: number[] = [];
  const closes: CloseReason[] = [];
  const state = { open: false };
  const connection = world.node(from).platform.network.connect(url, LIMITS, {
    onOpen: () => {
      state.open = true;
    },
    onMessage: (parts) => got.push(parts.find((part) => part.length > 0)?.[0] ?? -1),
    onClose: (reason) => closes.push(reason),
  });
  return { connection, got, closes, state };
}

const codes = (closes: CloseReason[]) => closes.map(({ code }) => code);

describe('SimNetwork', () => {
  test('messages sent before the connection stands arrive in order', async () => {
    const world = new SimWorld({ seed: 1 });
    await echoServer(world, 'b');
    const { connection, got } = dial(world, 'a', 'ws://b:9000');
    for (let index = 0; index < 50; index += 1) connection.send([Uint8Array.of(index)]);
    await world.run(1000);
    expect(got).toEqual(Array.from({ length: 50 }, (_, index) => index));
  });

  test('nothing listening is refused; a machine without power times out; no such host is unreachable', async () => {
    const world = new SimWorld({ seed: 1 });
    world.node('b');
    world.node('dark').powerLoss();
    const [refused, dark, unknown] = ['b', 'dark', 'nowhere'].map((host) =>
      dial(world, 'a', `ws://${host}:9000`),
    );
    await world.run(5000);
    expect([refused, dark, unknown].map((dialed) => codes(dialed?.closes ?? []))).toEqual([
      ['refused'],
      ['timeout'],
      ['unreachable'],
    ]);
  });

  test('peers of a crashed process see a reset soon, those of a lost machine only by silence', async () => {
    const world = new SimWorld({ seed: 1 });
    await echoServer(world, 'b');
    await echoServer(world, 'c');
    const toB = dial(world, 'a', 'ws://b:9000');
    const toC = dial(world, 'a', 'ws://c:9000');
    await world.run(100);
    world.node('b').processCrash();
    world.node('c').powerLoss();
    await world.run(200);
    expect(codes(toB.closes)).toEqual(['reset']);
    expect(codes(toC.closes)).toEqual([]);
    await world.run(10_000);
    expect(codes(toC.closes)).toEqual(['timeout']);
    expect(world.network.openConnections).toBe(0);
  });

  test('a short cut delays messages, a long one ends the connection on both sides', async () => {
    const world = new SimWorld({ seed: 1 });
    const server = await echoServer(world, 'b');
    const client = dial(world, 'a', 'ws://b:9000');
    await world.run(100);
    world.network.cut('a', 'b');
    client.connection.send([Uint8Array.of(7)]);
    await world.run(2000);
    expect(client.got).toEqual([]);
    world.network.heal();
    await world.run(2100);
    expect(client.got).toEqual([7]);
    world.network.cutOneWay('a', 'b');
    await world.run(20_000);
    expect(codes(server.closes)).toEqual(['timeout']);
    expect(codes(client.closes)).toEqual(['reset']);
  });

  test('closing flushes first, and both sides hear it once', async () => {
    const world = new SimWorld({ seed: 1 });
    const server = await echoServer(world, 'b');
    const client = dial(world, 'a', 'ws://b:9000');
    await world.run(100);
    server.accepted[0]?.send([Uint8Array.of(1)]);
    server.accepted[0]?.close('enough');
    await world.run(200);
    expect(client.got).toEqual([1]);
    expect(client.closes).toEqual([{ code: 'closed', message: 'enough' }]);
    expect(codes(server.closes)).toEqual(['closed']);
  });

  test('a reader that stops reading pushes back on the sender, and resumes', async () => {
    const world = new SimWorld({ seed: 1 });
    const server = await echoServer(world, 'b');
    const client = dial(world, 'a', 'ws://b:9000');
    await world.run(100);
    server.accepted[0]?.setReading(false);
    for (let index = 0; index < 10; index += 1) client.connection.send([new Uint8Array(100_000).fill(index)]);
    await world.run(200);
    expect(client.connection.bufferedBytes).toBeGreaterThan(700_000);
    server.accepted[0]?.setReading(true);
    await world.run(400);
    expect(client.connection.bufferedBytes).toBe(0);
    expect(client.got).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('a message above the limit of the receiver ends the connection', async () => {
    const world = new SimWorld({ seed: 1 });
    await echoServer(world, 'b');
    const client = dial(world, 'a', 'ws://b:9000');
    client.connection.send([new Uint8Array((1 << 20) + 1)]);
    await world.run(100);
    expect(codes(client.closes)).toEqual(['protocol']);
  });

  test('messages can be lost, repeated, reordered, corrupted, and connections reset', async () => {
    const outcome = async (conditions: Partial<SimWorld['network']['conditions']>) => {
      const world = new SimWorld({ seed: 1 });
      await echoServer(world, 'a');
      await echoServer(world, 'b');
      const client = dial(world, 'a', 'ws://b:9000');
      await world.run(100);
      Object.assign(world.network.conditions, conditions);
      for (let index = 0; index < 100; index += 1) client.connection.send([Uint8Array.of(index)]);
      await world.run(1000);
      return client;
    };
    const inOrder = Array.from({ length: 100 }, (_, index) => index);
    expect((await outcome({ lossRate: 0.2 })).got.length).toBeLessThan(90);
    expect((await outcome({ duplicateRate: 0.2 })).got.length).toBeGreaterThan(110);
    const { got } = await outcome({ reorderRate: 0.2 });
    expect(got).not.toEqual(inOrder);
    expect(got.sort((left, right) => left - right)).toEqual(inOrder);
    expect((await outcome({ corruptRate: 0.2 })).got).not.toEqual(inOrder);
    expect(codes((await outcome({ resetRate: 0.1 })).closes)).toEqual(['reset']);
  });

  test('who stops reading loses nothing, and a link that is slow one way answers late', async () => {
    const world = new SimWorld({ seed: 1 });
    await echoServer(world, 'b');
    const client = dial(world, 'a', 'ws://b:9000');
    await world.run(100);
    const end = world.network.stall('a', 'b');
    client.connection.send([Uint8Array.of(1)]);
    client.connection.send([Uint8Array.of(2)]);
    await world.run(1000);
    expect(client.got).toEqual([]);
    end();
    await world.run(1100);
    expect(client.got).toEqual([1, 2]);

    world.network.links.delay('b', 'a', 500);
    client.connection.send([Uint8Array.of(3)]);
    await world.run(1500);
    expect(client.got).toEqual([1, 2]);
    await world.run(1700);
    expect(client.got).toEqual([1, 2, 3]);
  });

  test('a side that forgot a connection tells nobody: the other finds out by the silence', async () => {
    const world = new SimWorld({ seed: 1 });
    const server = await echoServer(world, 'b');
    const client = dial(world, 'a', 'ws://b:9000');
    await world.run(100);
    expect(world.network.forgetOneSide('b', 'a')).toBe(1);
    client.connection.send([Uint8Array.of(1)]);
    await world.run(1000);
    expect(codes(server.closes)).toEqual(['reset']);
    expect(client.closes).toEqual([]);
    await world.run(10_000);
    expect(codes(client.closes)).toEqual(['timeout']);
    expect(client.got).toEqual([]);
  });

  test('changing a buffer that was sent fails the run', async () => {
    const world = new SimWorld({ seed: 1 });
    await echoServer(world, 'b');
    const client = dial(world, 'a', 'ws://b:9000');
    await world.run(100);
    const bytes = Uint8Array.of(1, 2, 3);
    client.connection.send([bytes]);
    bytes[0] = 9;
    await expect(world.run(200)).rejects.toThrow(/changed a buffer/);
  });
});
