// node --test
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { json } from 'odradek';
import { startCluster } from 'odradek/testing';
import { totalsOf } from '../totals.js';

let cluster;

before(async () => {
  cluster = await startCluster({ topics: ['orders'] });
});

after(() => cluster.stop());

test('adds up what each customer has spent', async () => {
  const client = cluster.client();
  const producer = client.producer({ value: json() });
  await producer.send({ topic: 'orders', key: 'ada', value: { amount: 3 } });
  await producer.send({ topic: 'orders', key: 'bob', value: { amount: 5 } });
  await producer.send({ topic: 'orders', key: 'ada', value: { amount: 4 } });

  assert.deepEqual(await totalsOf(client, 3), { ada: 7, bob: 5 });
});
