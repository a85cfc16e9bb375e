import { expect, test } from 'vitest';
import { healthAnswer } from '../../src/server/health.ts';

test('a node is in sync once it serves and every replica of its own is', () => {
  const ask = (path: string, waitingFor: string | undefined, isr: number[]) =>
    healthAnswer(path, {
      nodeId: 1,
      waitingFor,
      image: {
        topics: new Map([
          [
            't',
            {
              partitions: [
                { replicas: [1, 2], isr },
                { replicas: [2], isr: [2] },
              ],
            },
          ],
        ]),
      },
    });
  expect(ask('/insyncz', undefined, [2, 1])).toEqual({ status: 200, body: 'in sync\n' });
  expect(ask('/insyncz', undefined, [2])).toEqual({ status: 503, body: '1 of its replicas to be in sync\n' });
  expect(ask('/insyncz', 'its quorum', [2, 1])).toEqual({ status: 503, body: 'its quorum\n' });
  expect(ask('/readyz', undefined, [2])).toEqual({ status: 200, body: 'ready\n' });
  expect(ask('/readyz', 'its quorum', [1])).toEqual({ status: 503, body: 'its quorum\n' });
  expect(ask('/healthz', 'its quorum', [2])).toEqual({ status: 200, body: 'ok\n' });
  expect(ask('/', undefined, [1])).toBeUndefined();
});
