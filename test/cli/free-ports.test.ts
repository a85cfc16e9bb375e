import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freeBasePort } from '../../src/cli/cluster/free-ports.ts';

test('the ports behind the base are free', async () => {
  const base = await freeBasePort(3);
  for (const port of [base + 1, base + 2, base + 3]) {
    await new Promise<void>((resolve, reject) => {
      const server = createServer().on('error', reject);
      server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
    });
  }
  expect(base).toBeGreaterThan(1024);
});
