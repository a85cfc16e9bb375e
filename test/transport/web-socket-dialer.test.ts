import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { WebSocket } from 'ws';
import { createLogger } from '../../src/platform/logger.ts';
import type { CloseReason, Connection, ListenOptions } from '../../src/platform/ports.ts';
import { WebSocketDialer } from '../../src/transport/web-socket-dialer.ts';
import { WsNetwork } from '../../src/transport/ws-network.ts';

/** Against real servers, with the class of `ws` standing in for the browser's, whose interface it has. */
const network = new WsNetwork({ logger: createLogger({ level: 'silent' }) });
const LIMITS = { messageBytesMax: 16 << 20, connectTimeoutMs: 2000 };
const cleanups: (() => Promise<unknown> | unknown)[] = [];

beforeEach(() => {
  vi.stubGlobal('WebSocket', WebSocket);
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
  vi.unstubAllGlobals();
});

async function echoServer(options: Partial<ListenOptions> = {}) {
  const accepted: Connection[] = [];
  const closes: CloseReason[] = [];
  const listener = await network.listen({
    host: '127.0.0.1',
    port: 0,
    messageBytesMax: 64 << 20,
    connectionsMax: 10,
    onConnection: (connection) => {
      accepted.push(connection);
      return { onMessage: (parts) => connection.send(parts), onClose: (reason) => closes.push(reason) };
    },
    ...options,
  });
  cleanups.push(() => listener.close());
  return { listener, accepted, closes, url: `ws://127.0.0.1:${listener.port}` };
}

function dial(url: string, limits = LIMITS) {
  const messages: Uint8Array[] = [];
  const state = { opened: 0, drained: 0, closed: undefined as CloseReason | undefined };
  const connection = new WebSocketDialer().connect(url, limits, {
    onOpen: () => {
      state.opened += 1;
    },
    onDrain: () => {
      state.drained += 1;
    },
    onMessage: (parts) => messages.push(Buffer.concat(parts)),
    onClose: (reason) => {
      expect(state.closed).toBeUndefined();
      state.closed = reason;
    },
  });
  cleanups.push(() => connection.close());
  return { connection, messages, state };
}

test('messages of many parts arrive whole and in order, also those sent before the connection stands', async () => {
  const { url } = await echoServer();
  const { connection, messages, state } = dial(url);
  const parts = [10, 5000, 0, 300_000].map((length, index) => new Uint8Array(length).fill(index + 1));
  connection.send(parts);
  connection.send([Uint8Array.of(1), Uint8Array.of(2)]);
  connection.send([Uint8Array.of(3)]);
  expect(connection.bufferedBytes).toBe(305_013);
  await expect.poll(() => messages.length).toBe(3);
  expect(Buffer.concat(parts).equals(messages[0] ?? new Uint8Array(0))).toBe(true);
  expect(messages.slice(1).map((message) => [...message])).toEqual([[1, 2], [3]]);
  expect(state.opened).toBe(1);
  connection.send([new Uint8Array(8 << 20)]);
  expect(connection.bufferedBytes).toBeGreaterThan(0);
  await expect.poll(() => connection.bufferedBytes).toBe(0);
  await expect.poll(() => state.drained).toBeGreaterThan(0);
});

test('what comes while this side does not read waits, and is dropped when it closes', async () => {
  const { url, accepted, closes } = await echoServer();
  const { connection, messages, state } = dial(url);
  await expect.poll(() => state.opened).toBe(1);
  connection.setReading(false);
  accepted[0]?.send([Uint8Array.of(1)]);
  accepted[0]?.send([Uint8Array.of(2)]);
  const other = dial(url);
  other.connection.send([Uint8Array.of(9)]);
  await expect.poll(() => other.messages.length).toBe(1);
  expect(messages).toEqual([]);
  connection.setReading(true);
  await expect.poll(() => messages.map(([first]) => first)).toEqual([1, 2]);
  connection.close('€'.repeat(100));
  connection.send([Uint8Array.of(3)]);
  await expect.poll(() => state.closed).toEqual({ code: 'closed', message: 'closed by this side' });
  await expect.poll(() => closes).toEqual([{ code: 'closed', message: '€'.repeat(41) }]);
});

test('a message above the limit, and a text, end the connection', async () => {
  const { url, accepted } = await echoServer();
  const large = dial(url, { ...LIMITS, messageBytesMax: 1000 });
  large.connection.send([new Uint8Array(1001)]);
  await expect.poll(() => large.state.closed).toMatchObject({ code: 'protocol' });
  expect(large.messages).toEqual([]);
  expect(accepted).toHaveLength(1);
  const { WebSocketServer } = await import('ws');
  const texts = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  cleanups.push(() => texts.close());
  texts.on('connection', (ws) => ws.send('hello'));
  await once(texts, 'listening');
  const { port } = texts.address() as { port: number };
  const text = dial(`ws://127.0.0.1:${port}`);
  await expect.poll(() => text.state.closed).toMatchObject({ code: 'protocol' });
});

test('no answer in time is a timeout; a refusal is unreachable, with advice, since a page is not told why', async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => sockets.push(socket));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  const { state } = dial(`ws://127.0.0.1:${port}`, { ...LIMITS, connectTimeoutMs: 20 });
  await expect.poll(() => state.closed).toMatchObject({ code: 'timeout' });
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => silent.close(resolve));
  const refused = dial(`ws://127.0.0.1:${port}`);
  await expect.poll(() => refused.state.closed).toMatchObject({ code: 'unreachable' });
  expect(refused.state.closed?.message).toContain('allowedOrigins');
});

test('the end of the server is told as what it was', async () => {
  const { url, listener } = await echoServer();
  const { state } = dial(url);
  await expect.poll(() => state.opened).toBe(1);
  await listener.close();
  await expect.poll(() => state.closed).toEqual({ code: 'closed', message: 'the server is closing' });
});
