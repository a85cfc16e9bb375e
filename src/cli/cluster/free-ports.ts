import { createServer } from 'node:net';
import { KAFKA_PORT_OFFSET } from './ports.ts';

/** Below the range from which systems draw ports for outgoing connections. */
const LOWEST = 10_000;
const HIGHEST = 30_000;
const ATTEMPTS_MAX = 100;

/** A base port whose next `count` ports, and those for Kafka's clients, are free on this machine. */
export async function freeBasePort(count: number): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const base = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST - count));
    const offsets = Array.from({ length: count }, (_, index) => 1 + index);
    const ports = offsets.flatMap((offset) => [base + offset, base + KAFKA_PORT_OFFSET + offset]);
    const free = await Promise.all(ports.map(isFree));
    if (free.every(Boolean)) return base;
  }
  throw new Error(`no ${count} free ports in a row between ${LOWEST} and ${HIGHEST}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
