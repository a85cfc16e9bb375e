import { expect, test } from 'vitest';
import type { Logger } from '../../src/platform/ports.ts';
import { startCluster } from '../../src/testing/index.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Keeps every line of all nodes. */
function recorder(): { readonly logger: Logger; of(message: string): Line['fields'][] } {
  const lines: Line[] = [];
  const create = (bound: object): Logger => {
    const write = (level: string) => (fields: object, message: string) =>
      void lines.push({ level, message, fields: { ...bound, ...fields } });
    return {
      debug: () => {},
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (fields) => create({ ...bound, ...fields }),
    };
  };
  return {
    logger: create({}),
    of: (message) => lines.filter((line) => line.message === message).map(({ fields }) => fields),
  };
}

test('each election, fence, ISR change, recovery, rebalance and refusal is one line with its ids', async () => {
  const { logger, of } = recorder();
  await using cluster = await startCluster({ nodes: 3, logger, topics: [{ name: 'orders', partitions: 1 }] });
  const client = cluster.client();
  await client.producer().send({ topic: 'orders', value: 'one' });
  expect(of('Elected leader of the metadata quorum')).toHaveLength(1);
  expect(of('Elected leader of the metadata quorum')[0]).toMatchObject({
    nodeId: cluster.controller.id,
    epoch: expect.any(Number),
  });
  expect(of('Changed an ISR')).toEqual([]);

  const consumer = client.consumer({ group: 'group', autoOffsetReset: 'earliest' });
  await consumer.subscribe(['orders']);
  while ((await consumer.poll(1000)).length === 0);
  await consumer.close();
  expect(of('Rebalanced a group')).toMatchObject([
    { groupId: 'group', groupEpoch: 1, members: 1, reason: 'a member joined' },
    { groupId: 'group', groupEpoch: 2, members: 0, reason: 'a member left' },
  ]);

  await expect(client.admin().createTopic({ name: 'orders', partitions: 1 })).rejects.toThrow();
  // Nodes that look for the controller are refused now and then while the cluster starts.
  expect(of('Refused a request').filter(({ api }) => api === 'CreateTopics')).toMatchObject([
    { api: 'CreateTopics', error: 'TOPIC_ALREADY_EXISTS', name: 'orders', remote: expect.any(String) },
  ]);

  const leader = cluster.leaderOf('orders');
  const others = [1, 2, 3].filter((id) => id !== leader.id);
  await leader.kill();
  await client.producer().send({ topic: 'orders', value: 'two' });
  expect(of('Fenced a broker')).toMatchObject([{ brokerId: leader.id, brokerEpoch: expect.any(Number) }]);
  const ids = { topic: 'orders', topicId: expect.any(String), partition: 0 };
  const successor = cluster.leaderOf('orders').id;
  expect(of('Elected a leader')).toMatchObject([
    { ...ids, leader: successor, previousLeader: leader.id, election: 'failover' },
  ]);
  expect(of('Changed an ISR')).toMatchObject([{ ...ids, isr: expect.arrayContaining(others) }]);

  expect(of('Recovered a log by scanning its tail')).toEqual([]);
  await leader.start();
  await cluster.untilHealthy();
  expect(of('Recovered a log by scanning its tail')).toMatchObject([
    { nodeId: leader.id, topicId: expect.any(String), partition: 0 },
  ]);
  expect(of('Changed an ISR')).toMatchObject([
    { isr: expect.arrayContaining(others) },
    { ...ids, isr: expect.arrayContaining([1, 2, 3]) },
  ]);
  expect(of('A partition lost its leader')).toEqual([]);
}, 30_000);
