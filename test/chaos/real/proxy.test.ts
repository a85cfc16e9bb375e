import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { Links } from '../../../chaos/real/nemesis/links.ts';
import type { LinkProxy } from '../../../chaos/real/nemesis/proxy.ts';

const HOST = '127.0.0.1';
const cleanups: (() => void)[] = [];

afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A server that sends back what it gets, and a link to it. */
async function echo(): Promise<{ link: LinkProxy; server: Server; end: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    socket.pipe(socket);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const links = new Links([{ id: 1, host: HOST, port }], () => ({ host: HOST }), Math.random);
  await links.open('client');
  const end = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  cleanups.push(end, () => links.close());
  return { link: links.between('client', 'node-1'), server, end };
}

async function dial(link: LinkProxy): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect({ host: link.host, port: link.port });
  cleanups.push(() => socket.destroy());
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return { socket, received: () => text };
}

/** Other than `once`, it takes an error for an end. */
const closing = (socket: Socket) => new Promise<void>((resolve) => socket.once('close', () => resolve()));

test('what was sent over a cut link arrives once it is healed, whole and in order', async () => {
  const { link } = await echo();
  const { socket, received } = await dial(link);
  socket.write('one ');
  await expect.poll(received).toBe('one ');
  for (const direction of ['forward', 'backward'] as const) {
    link.cut(direction);
    const before = received();
    socket.write('two ');
    const other = await dial(link);
    other.socket.write('late ');
    // Others pass meanwhile, so this one would have.
    const { link: free } = await echo();
    const beside = await dial(free);
    beside.socket.write('free');
    await expect.poll(beside.received).toBe('free');
    expect([received(), other.received()]).toEqual([before, '']);
    link.heal();
    await expect.poll(() => [received(), other.received()]).toEqual([`${before}two `, 'late ']);
  }
});

test('half-open connections swallow everything, and new ones work', async () => {
  const { link } = await echo();
  const { socket, received } = await dial(link);
  socket.write('one ');
  await expect.poll(received).toBe('one ');
  link.halfOpen();
  socket.write('two ');
  const other = await dial(link);
  other.socket.write('three ');
  await expect.poll(other.received).toBe('three ');
  expect(received()).toBe('one ');
  expect(socket.destroyed).toBe(false);
});

test('delays and narrow links keep bytes in order, and do take time', async () => {
  const { link } = await echo();
  const { socket, received } = await dial(link);
  link.set('both', { delayMs: 30, jitterMs: 30, bytesPerSecond: 10_000 });
  const startedMs = performance.now();
  let sent = '';
  for (let index = 0; index < 50; index++) {
    sent += `${index} `;
    socket.write(`${index} `);
  }
  await expect.poll(received).toBe(sent);
  expect(performance.now() - startedMs).toBeGreaterThan(60);
});

test('a link flips bits, and resets connections', async () => {
  const { link } = await echo();
  const { socket, received } = await dial(link);
  link.set('forward', { corruptChance: 1 });
  socket.write('x'.repeat(100));
  await expect.poll(() => received().length).toBe(100);
  expect(received()).not.toBe('x'.repeat(100));
  link.set('both', { corruptChance: 0, resetChance: 1 });
  const closed = closing(socket);
  socket.write('y');
  await closed;
});

test('who dials a dead process is refused, and whose link is cut hears nothing', async () => {
  const { link, end } = await echo();
  const { socket } = await dial(link);
  const closed = closing(socket);
  end();
  await closed;
  const refused = connect({ host: link.host, port: link.port });
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
  link.cut();
  await expect.poll(async () => (await dial(link)).socket.destroyed).toBe(false);
});
