// NODE_OPTIONS=--experimental-vm-modules jest    (Jest loads ES modules only with this option of Node.js)
import { Kafka, logLevel } from 'kafkajs';
import { startCluster } from 'odradek/testing';
import { totalsOf } from '../totals.js';

let cluster;
let kafka;

beforeAll(async () => {
  cluster = await startCluster();
  kafka = new Kafka({ brokers: cluster.kafkaBootstrap.split(','), logLevel: logLevel.ERROR });
});

afterAll(() => cluster.stop());

test('adds up orders that a service places through kafkajs', async () => {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 3 }] });
  await admin.disconnect();

  const producer = kafka.producer();
  await producer.connect();
  const order = (customer, amount) => ({ key: customer, value: JSON.stringify({ amount }) });
  await producer.send({ topic: 'orders', messages: [order('ada', 3), order('bob', 5), order('ada', 4)] });
  await producer.disconnect();

  expect(await totalsOf(cluster.client(), 3)).toEqual({ ada: 7, bob: 5 });
});
