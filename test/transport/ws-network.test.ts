import { createHash } from 'node:crypto';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createLogger } from '../../src/platform/logger.ts';
import type { CloseReason, Connection, Listener, ListenOptions } from '../../src/platform/ports.ts';
import { WsNetwork } from '../../src/transport/ws-network.ts';

const network = new WsNetwork({ logger: createLogger({ level: 'silent' }) });
const LIMITS = { messageBytesMax: 64 << 20, connectTimeoutMs: 2000 };
const cleanups: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

function signal<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** A server that answers each message with itself; `accepted` are its sides of the connections. */
async function echoServer(options: Partial<ListenOptions> = {}) {
  const accepted: Connection[] = [];
  const closes: CloseReason[] = [];
  const listener: Listener = await network.listen({
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
  const opened = signal<void>();
  const closed = signal<CloseReason>();
  const drained = signal<void>();
  const messages: Uint8Array[] = [];
  let waiting: { count: number; resolve: () => void } | undefined;
  const connection = network.connect(url, limits, {
    onOpen: () => opened.resolve(),
    onDrain: () => drained.resolve(),
    onClose: (reason) => closed.resolve(reason),
    onMessage: (parts) => {
      messages.push(Buffer.concat(parts));
      if (waiting !== undefined && messages.length >= waiting.count) waiting.resolve();
    },
  });
  cleanups.push(() => connection.close());
  const received = (count: number) =>
    new Promise<void>((resolve) => {
      if (messages.length >= count) resolve();
      else waiting = { count, resolve };
    });
  return {
    connection,
    messages,
    received,
    opened: opened.promise,
    closed: closed.promise,
    drained: drained.promise,
  };
}

describe('WsNetwork', () => {
  test('a large message of many parts arrives whole, also when sent before the connection stands', async () => {
    const { url } = await echoServer();
    const parts = [10, 5000, 0, 3, 200_000, 100, 4096, 4095, 8 << 20, 7].map((length, index) =>
      new Uint8Array(length).fill(index + 1),
    );
    const client = dial(url);
    client.connection.send(parts);
    client.connection.send([Uint8Array.of(1), Uint8Array.of(2)]);
    await client.received(2);
    expect(Buffer.concat(parts).equals(client.messages[0] ?? new Uint8Array(0))).toBe(true);
    expect([...(client.messages[1] ?? [])]).toEqual([1, 2]);
  });

  test('the bytes that were sent are left as they were', async () => {
    const { url } = await echoServer();
    const client = dial(url);
    const part = new Uint8Array(100_000).fill(7);
    client.connection.send([Uint8Array.of(1), part]);
    await client.received(1);
    expect(part.every((byte) => byte === 7)).toBe(true);
  });

  test('nothing listening is refused; a socket that never answers times out; others are not WebSockets', async () => {
    const silent = createServer();
    const sockets: Socket[] = [];
    silent.on('connection', (socket) => sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const port = (silent.address() as { port: number }).port;
    const timeout = dial(`ws://127.0.0.1:${port}`, { ...LIMITS, connectTimeoutMs: 50 });
    expect(await timeout.closed).toMatchObject({ code: 'timeout' });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
    expect(await dial(`ws://127.0.0.1:${port}`).closed).toMatchObject({ code: 'refused' });
    expect(await dial('ws://name.invalid:1').closed).toMatchObject({ code: 'unreachable' });
  });

  test('closing flushes what was sent, and both sides hear why', async () => {
    const { url, accepted, closes } = await echoServer();
    const client = dial(url);
    await client.opened;
    accepted[0]?.send([new Uint8Array(1 << 20)]);
    accepted[0]?.close('enough');
    expect(await client.closed).toEqual({ code: 'closed', message: 'enough' });
    expect(client.messages.map((message) => message.length)).toEqual([1 << 20]);
    await expect.poll(() => closes.map(({ code }) => code)).toEqual(['closed']);
  });

  test('a listener that closes ends its connections and frees the port', async () => {
    const { url, listener } = await echoServer();
    const client = dial(url);
    await client.opened;
    await listener.close();
    expect(await client.closed).toEqual({ code: 'closed', message: 'the server is closing' });
    expect(await dial(url).closed).toMatchObject({ code: 'refused' });
  });

  test('a caller that never finishes its handshake does not hold up the close', async () => {
    const { listener } = await echoServer();
    const socket = tcpConnect(listener.port, '127.0.0.1');
    const gone = new Promise((resolve) => socket.once('close', resolve));
    await new Promise<void>((resolve) => socket.write('GET / HTTP/1.1\r\nhost: x\r\n', () => resolve()));
    await fetch(`http://127.0.0.1:${listener.port}/`);
    await listener.close();
    await gone;
  });

  test('a connection is closed before it stands', async () => {
    const { url } = await echoServer();
    const client = dial(url);
    client.connection.close();
    expect(await client.closed).toMatchObject({ code: 'closed' });
  });

  test('a peer that falls silent is found by its missing pongs', async () => {
    const silent = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (request) => {
        const key = /sec-websocket-key: (.+)\r/i.exec(request.toString())?.[1];
        const accept = createHash('sha1')
          .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest('base64');
        const headers = `upgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}`;
        socket.write(`HTTP/1.1 101 Switching Protocols\r\n${headers}\r\n\r\n`);
      });
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    cleanups.push(() => vi.useRealTimers());
    const client = dial(`ws://127.0.0.1:${(silent.address() as { port: number }).port}`);
    await client.opened;
    vi.advanceTimersByTime(6000);
    expect(await client.closed).toMatchObject({ code: 'timeout' });
    await new Promise((resolve) => silent.close(resolve));
  });

  test('a socket that dies is a reset', async () => {
    const { url, closes, listener } = await echoServer();
    const socket = tcpConnect(listener.port, '127.0.0.1');
    socket.write(
      'GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n' +
        'sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    );
    await new Promise((resolve) => socket.once('data', resolve));
    socket.resetAndDestroy();
    await expect.poll(() => closes.map(({ code }) => code)).toEqual(['reset']);
    const client = dial(url);
    await client.opened;
  });

  test('a message above the limit, or a text, ends the connection', async () => {
    const { url } = await echoServer({ messageBytesMax: 1000 });
    const client = dial(url);
    client.connection.send([new Uint8Array(1001)]);
    expect(await client.closed).toMatchObject({ code: 'protocol' });
    const browser = new (await import('ws')).WebSocket(url);
    browser.on('open', () => browser.send('hello'));
    expect(await new Promise((resolve) => browser.on('close', resolve))).toBe(1003);
  });

  test('beyond connectionsMax a caller is told that the server is full, which is not "refused"', async () => {
    const { url } = await echoServer({ connectionsMax: 1 });
    const first = dial(url);
    await first.opened;
    expect(await dial(url).closed).toEqual({ code: 'closed', message: 'the server is full' });
  });

  test('a reader that stops pushes back; nothing is lost, and the sender hears of the drain', async () => {
    const { url, accepted } = await echoServer();
    const client = dial(url);
    await client.opened;
    client.connection.setReading(false);
    const count = 300;
    for (let index = 0; index < count; index += 1) accepted[0]?.send([new Uint8Array(100_000).fill(index)]);
    // Another connection makes the round trip meanwhile, so the kernels have taken what they would.
    const other = dial(url);
    other.connection.send([Uint8Array.of(1)]);
    await other.received(1);
    expect(client.messages.length).toBe(0);
    expect(accepted[0]?.bufferedBytes).toBeGreaterThan(5_000_000);
    client.connection.setReading(true);
    await client.received(count);
    expect(client.messages.map((message) => message[0])).toEqual(
      Array.from({ length: count }, (_, index) => index % 256),
    );
    await expect.poll(() => accepted[0]?.bufferedBytes).toBe(0);
    client.connection.send([new Uint8Array(10)]);
    await client.drained;
  });

  test('small messages parsed before a pause wait for the resume', async () => {
    const { url, accepted } = await echoServer();
    const client = dial(url);
    await client.opened;
    const got: number[] = [];
    const second = network.connect(url, LIMITS, {
      onMessage: (parts) => {
        got.push(parts[0]?.[0] ?? -1);
        second.setReading(false);
        setImmediate(() => second.setReading(true));
      },
      onClose: () => {},
    });
    cleanups.push(() => second.close());
    await expect.poll(() => accepted.length).toBe(2);
    for (let index = 0; index < 100; index += 1) accepted[1]?.send([Uint8Array.of(index)]);
    await expect.poll(() => got.length).toBe(100);
    expect(got).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  test('HTTP GET is answered on the same port', async () => {
    const { listener } = await echoServer({
      onHttp: (path) => (path === '/healthz' ? { status: 200, body: 'ok\n' } : undefined),
    });
    const get = async (path: string, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${listener.port}${path}`, { method });
      return [response.status, await response.text()];
    };
    expect(await get('/healthz?verbose=1')).toEqual([200, 'ok\n']);
    expect(await get('/other')).toEqual([404, 'not found\n']);
    expect(await get('/healthz', 'POST')).toEqual([405, 'only GET is answered\n']);
  });

  test('a port in use is an error of listen', async () => {
    const { listener } = await echoServer();
    await expect(echoServer({ port: listener.port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
