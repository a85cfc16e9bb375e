import { expect, test } from 'vitest';
import { nodeClock } from '../../src/platform/clock.ts';
import type { Logger } from '../../src/platform/ports.ts';
import { nodeTimers } from '../../src/platform/timers.ts';
import { ConsumerGroupHeartbeat } from '../../src/protocol/messages/consumer-group-heartbeat.ts';
import { Produce } from '../../src/protocol/messages/produce.ts';
import { RecordBatchBuilder } from '../../src/protocol/record-batch-builder.ts';
import { ZERO_UUID } from '../../src/protocol/uuid.ts';
import { startCluster } from '../../src/testing/index.ts';
import { RpcClient } from '../../src/transport/rpc-client.ts';
import { WsDialer } from '../../src/transport/ws-dialer.ts';

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
  // While the nodes look for their controller and leaders, they are refused nothing that an operator should look at.
  expect(of('Refused a request')).toEqual([]);

  const consumer = client.consumer({ group: 'group', autoOffsetReset: 'earliest' });
  await consumer.subscribe(['orders']);
  while ((await consumer.poll(1000)).length === 0);
  await consumer.close();
  expect(of('Rebalanced a group')).toMatchObject([
    { groupId: 'group', groupEpoch: 1, members: 1, reason: 'a member joined' },
    { groupId: 'group', groupEpoch: 2, members: 0, reason: 'a member left' },
  ]);

  await expect(client.admin().createTopic({ name: 'orders', partitions: 1 })).rejects.toThrow();
  expect(of('Refused a request')).toMatchObject([
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

test('a truncation is one line with its ids, and nothing else is lost', async () => {
  const { logger, of } = recorder();
  await using cluster = await startCluster({
    nodes: 3,
    logger,
    topics: [{ name: 'orders', partitions: 1, configs: { 'min.insync.replicas': '1' } }],
  });
  const client = cluster.client();
  await client.producer().send({ topic: 'orders', value: 'everywhere' });
  const leader = cluster.leaderOf('orders');
  const others = [1, 2, 3].filter((id) => id !== leader.id).map((id) => cluster.node(id));
  await Promise.all(others.map((node) => node.kill()));
  await client.producer({ acks: 1 }).send({ topic: 'orders', value: 'on the leader alone' });
  await leader.kill();
  await Promise.all(others.map((node) => node.start()));
  await client.producer().send({ topic: 'orders', value: 'instead' });
  const successor = cluster.leaderOf('orders').id;
  await leader.start();
  await cluster.untilHealthy();
  expect(of('Truncating to the log of the leader')).toMatchObject([
    {
      ...{ nodeId: leader.id, leaderId: successor, topicId: expect.any(String), partition: 0 },
      ...{ leaderEpoch: expect.any(Number), offset: 1, logEndOffset: 2 },
      diverging: { epoch: expect.any(Number), endOffset: 1 },
    },
  ]);
  expect(of('Starting over at the log start of the leader')).toEqual([]);
}, 30_000);

test('a client that is fenced is one line with what it has and what is there', async () => {
  const { logger, of } = recorder();
  await using cluster = await startCluster({ logger, topics: ['orders'] });
  const { url } = cluster.node(1);
  const rpc = new RpcClient({
    dialer: new WsDialer(),
    clock: nodeClock,
    timers: nodeTimers,
    url,
    clientId: 'old',
  });
  const produce = (producerEpoch: number) => {
    const builder = new RecordBatchBuilder({ sizeBytesMax: 1024 });
    builder.tryAppend({ timestamp: 1000, key: null, value: new Uint8Array(1) });
    const records = [builder.build({ producerId: 7, producerEpoch, baseSequence: 0 })];
    const topicData = [{ name: 'orders', topicId: ZERO_UUID, partitionData: [{ index: 0, records }] }];
    return rpc.call(Produce, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData });
  };
  await produce(1);
  await produce(0);
  const heartbeat = (memberEpoch: number) =>
    rpc.call(ConsumerGroupHeartbeat, {
      ...{ groupId: 'group', memberId: 'member', memberEpoch, instanceId: null, rackId: null },
      ...{
        subscribedTopicNames: ['orders'],
        rebalanceTimeoutMs: 60_000,
        serverAssignor: null,
        topicPartitions: [],
      },
    });
  await heartbeat(0);
  await heartbeat(99);
  rpc.close();
  const who = { clientId: 'old', remote: expect.any(String), nodeId: 1 };
  expect(of('Refused a request')).toMatchObject([
    {
      ...{ ...who, api: 'Produce', error: 'INVALID_PRODUCER_EPOCH', name: 'orders', index: 0 },
      errorMessage: expect.stringMatching(/producer 7 has epoch 1 .* older epoch 0/),
    },
    {
      ...{ ...who, api: 'ConsumerGroupHeartbeat', error: 'FENCED_MEMBER_EPOCH' },
      ...{ groupId: 'group', memberId: 'member' },
    },
  ]);
});
