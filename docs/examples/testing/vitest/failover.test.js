// vitest run
import { json } from 'odradek';
import { startCluster } from 'odradek/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { totalsOf } from '../totals.js';

let cluster;

beforeAll(async () => {
  cluster = await startCluster({ nodes: 3, topics: ['orders'] });
});

afterAll(() => cluster.stop());

test('no order is lost or counted twice when the leader dies while they are placed', async () => {
  const producer = cluster.client().producer({ value: json() });
  const place = (amount) => producer.send({ topic: 'orders', key: 'ada', value: { amount } });

  for (let n = 1; n <= 50; n += 1) await place(1);
  const leader = cluster.leaderOf('orders');
  await leader.kill();
  for (let n = 1; n <= 50; n += 1) await place(1);

  expect(await totalsOf(cluster.client(), 100)).toEqual({ ada: 100 });

  await leader.start();
  await cluster.untilHealthy();
});
