import { createServer, type Server } from 'node:net';

const TRIES_MAX = 50;

/** A base port such that base + 1 to base + `count` are free at this moment. */
export async function freeBasePort(count: number): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const first = await listen(0);
    const base = portOf(first) - 1;
    const others = await Promise.allSettled(
      Array.from({ length: count - 1 }, (_, index) => listen(base + 2 + index)),
    );
    const servers = [
      first,
      ...others.flatMap((other) => (other.status === 'fulfilled' ? [other.value] : [])),
    ];
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    if (servers.length === count) return base;
  }
  throw new Error(`found no ${count} free ports in a row`);
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the probe listens on no port');
  return address.port;
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}
