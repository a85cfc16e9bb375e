import { once } from 'node:events';
import { connect as tcpConnect } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { nodeTimers } from '../../src/platform/timers.ts';
import { encodeRequest } from '../../src/protocol/codec.ts';
import { ListGroups } from '../../src/protocol/messages/list-groups.ts';
import { BufferBudget } from '../../src/transport/buffer-budget.ts';
import { route } from '../../src/transport/rpc-route.ts';
import { RpcServer } from '../../src/transport/rpc-server.ts';
import { WsNetwork, type WsNetworkOptions } from '../../src/transport/ws-network.ts';
import { recordingLogger } from './support/recording-logger.ts';

/** What guards a node against its callers: pages from elsewhere, garbage, and those who do not read. */

const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const MIB = 2 ** 20;

/** A server of one API whose every answer has a mebibyte, unless the caller hangs up before. */
async function serve(options: Partial<WsNetworkOptions> = {}) {
  const { logger, lines } = recordingLogger();
  const network = new WsNetwork({ logger, ...options });
  let started = 0;
  const answer = () => {
    started += 1;
    const group = { groupId: 'x'.repeat(16_384), protocolType: '', groupState: '', groupType: '' };
    return { throttleTimeMs: 0, errorCode: 0, groups: new Array(64).fill(group) };
  };
  const server = new RpcServer({
    ...{ network, timers: nodeTimers, logger },
    routes: [route(ListGroups, answer)],
    limits: { requestBytesMax: 8 * MIB },
  });
  const listener = await server.listen({ host: '127.0.0.1', port: 0 });
  cleanups.push(() => server.close());
  return {
    port: listener.port,
    url: `ws://127.0.0.1:${listener.port}`,
    lines,
    started: () => started,
    server,
  };
}

async function open(url: string, origin?: string): Promise<WebSocket> {
  const ws = new WebSocket(url, { perMessageDeflate: false, ...(origin !== undefined && { origin }) });
  cleanups.push(() => ws.terminate());
  await once(ws, 'open');
  return ws;
}

/** The status of an upgrade that is refused. */
async function refusal(url: string, origin: string): Promise<number> {
  const ws = new WebSocket(url, { origin });
  ws.on('error', () => {});
  const [, response] = await once(ws, 'unexpected-response');
  response.destroy();
  return response.statusCode;
}

const REQUEST = Buffer.concat(
  encodeRequest(ListGroups, ListGroups.maxVersion, 1, 'reader', { statesFilter: [], typesFilter: [] }),
);

describe('pages', () => {
  test('a page from elsewhere is refused, and the log says which and what to set', async () => {
    const { url, port, lines } = await serve();
    expect(await refusal(url, 'https://evil.example')).toBe(403);
    expect(lines).toEqual([
      {
        level: 'warn',
        fields: {
          remote: expect.stringContaining('127.0.0.1:'),
          origin: 'https://evil.example',
          configKey: 'allowedOrigins',
        },
        message: 'A page was refused: its origin is not among the allowedOrigins of the config',
      },
    ]);
    await open(url);
    await open(url, `http://127.0.0.1:${port}`);
  });

  test('an allowed one connects', async () => {
    const origins = { allowedOrigins: ['https://app.example'], ownNames: [] };
    const { url } = await serve({ origins });
    await open(url, 'https://app.example');
    expect(await refusal(url, 'https://app.example:1')).toBe(403);
  });
});

describe('garbage', () => {
  test.each([
    ['a text', /text message/, (ws: WebSocket) => ws.send('hello')],
    ['too large a message', /payload/i, (ws: WebSocket) => ws.send(new Uint8Array(8 * MIB + 1))],
    [
      'a flood of fragments',
      /fragments/,
      (ws: WebSocket) => {
        for (let count = 0; count < 6000; count += 1) ws.send(Uint8Array.of(1), { fin: false });
      },
    ],
  ])('%s ends the connection with a line in the log', async (_, reason, send) => {
    const { url, lines } = await serve();
    const ws = await open(url);
    const closed = once(ws, 'close');
    send(ws);
    await closed;
    await expect.poll(() => lines.length).toBe(1);
    expect(lines[0]).toEqual({
      level: 'warn',
      fields: { remote: expect.stringContaining('127.0.0.1:'), reason: expect.stringMatching(reason) },
      message: 'A connection broke the protocol',
    });
  });
});

describe('those who do not read', () => {
  test('one connection makes the server hold a little more than its limit, then it is not served', async () => {
    const budget = new BufferBudget({ bytesMax: 1000 * MIB, logger: recordingLogger().logger });
    const { url, started } = await serve({ budget });
    const ws = await open(url);
    ws.pause();
    for (let count = 0; count < 200; count += 1) ws.send(REQUEST);
    await roundTrips(url);
    // 16 MiB per connection, and the answers of one turn; the kernels take a few more.
    expect(budget.heldBytes).toBeGreaterThan(16 * MIB);
    expect(budget.heldBytes).toBeLessThan(34 * MIB);
    expect(started()).toBeLessThan(50);
    // Whatever it asked for is there once it reads.
    let answers = 0;
    ws.on('message', () => {
      answers += 1;
    });
    ws.resume();
    await expect.poll(() => answers, { timeout: 20_000 }).toBe(200);
    await expect.poll(() => budget.heldBytes).toBe(0);
  });

  test('all together hold no more than the budget: the one that holds most goes', async () => {
    const { logger, lines } = recordingLogger();
    const bytesMax = 40 * MIB;
    const budget = new BufferBudget({ bytesMax, logger });
    const { url } = await serve({ budget });
    for (let count = 0; count < 6; count += 1) {
      const ws = await open(url);
      ws.on('error', () => {});
      for (let request = 0; request < 100; request += 1) ws.send(REQUEST);
      ws.pause();
    }
    await expect.poll(() => lines.length).toBeGreaterThanOrEqual(4);
    await roundTrips(url);
    expect(budget.heldBytes).toBeLessThanOrEqual(bytesMax);
    expect(lines[0]?.message).toContain('it holds most');
  });

  test('messages that never end are held against the budget too', async () => {
    const { logger, lines } = recordingLogger();
    const budget = new BufferBudget({ bytesMax: 20 * MIB, logger });
    const { port } = await serve({ budget });
    const ended: number[] = [];
    const sockets = Array.from({ length: 5 }, (_, index) => {
      const socket = tcpConnect(port, '127.0.0.1');
      cleanups.push(() => socket.destroy());
      socket.on('error', () => {});
      socket.on('close', () => ended.push(index));
      socket.write(
        'GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n' +
          'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
      );
      return socket;
    });
    for (const socket of sockets) {
      await once(socket, 'data');
      // A frame of 7 MiB (RFC 6455 section 5.2), of which one byte never comes. Pings between frames do not hide it.
      const header = Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x70, 0, 0, 0, 0, 0, 0]);
      socket.write(Buffer.concat([header, Buffer.alloc(7 * MIB - 1)]));
    }
    await expect.poll(() => ended.length).toBe(3);
    expect(lines).toHaveLength(3);
    expect(budget.heldBytes).toBeGreaterThan(13 * MIB);
    expect(budget.heldBytes).toBeLessThanOrEqual(20 * MIB);
  });

  /** Other callers are served meanwhile; several round trips later the first ones have got what they will get. */
  async function roundTrips(url: string): Promise<void> {
    const other = await open(url);
    for (let count = 0; count < 20; count += 1) {
      const answered = once(other, 'message');
      other.send(REQUEST);
      await answered;
    }
    other.close();
    await once(other, 'close');
  }
});
