import { expect, test } from 'vitest';
import { json, OdradekClient, string } from '../../src/client/index.ts';
import { catalogue } from '../../src/protocol/catalogue.ts';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import { ConsumerGroupHeartbeat } from '../../src/protocol/messages/consumer-group-heartbeat.ts';
import { CreateTopics, type CreateTopicsRequest } from '../../src/protocol/messages/create-topics.ts';
import { Fetch } from '../../src/protocol/messages/fetch.ts';
import { FindCoordinator } from '../../src/protocol/messages/find-coordinator.ts';
import { InitProducerId } from '../../src/protocol/messages/init-producer-id.ts';
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts';
import { Metadata } from '../../src/protocol/messages/metadata.ts';
import { OffsetCommit } from '../../src/protocol/messages/offset-commit.ts';
import { OffsetFetch } from '../../src/protocol/messages/offset-fetch.ts';
import { Produce } from '../../src/protocol/messages/produce.ts';
import { type Route, route } from '../../src/transport/rpc-route.ts';
import { RpcServer } from '../../src/transport/rpc-server.ts';
import { FakeCluster } from './support/fake-cluster.ts';

const served = [
  Metadata,
  InitProducerId,
  Produce,
  Fetch,
  ListOffsets,
  FindCoordinator,
  ConsumerGroupHeartbeat,
  OffsetCommit,
  OffsetFetch,
].map(({ key }) => key);

/** The fake cluster behind real frames: each node an RpcServer on the simulated network. */
async function serve(
  fake: FakeCluster,
  extra: (nodeId: number) => readonly Route[] = () => [],
): Promise<void> {
  const { network, timers, logger } = fake.world.node('node').platform;
  for (const nodeId of [1, 2, 3]) {
    const routes = served.map((key): Route => {
      const api = catalogue.get(key);
      if (api === undefined) throw new Error(`no API ${key}`);
      return route(api, (request) => fake.handle(nodeId, api.name, request));
    });
    const server = new RpcServer({ network, timers, logger, routes: [...routes, ...extra(nodeId)] });
    await server.listen({ host: 'node', port: nodeId });
  }
}

function client(fake: FakeCluster): OdradekClient {
  const { network, clock, timers, random, logger } = fake.world.node('client').platform;
  return new OdradekClient(
    { bootstrap: 'ws://node:1, ws://node:2' },
    { dialer: network, clock, timers, random, logger },
  );
}

interface Flight {
  readonly origin: string;
  readonly delay: number;
}

test('produces, consumes and commits over real frames', async () => {
  const fake = new FakeCluster(1);
  fake.addTopic('flights', 3);
  await serve(fake);
  const odradek = client(fake);
  const producer = odradek.producer({ key: string, value: json<Flight>() });
  const flights = Array.from({ length: 200 }, (_, i) => ({ origin: `A${i % 7}`, delay: i }));
  const run = async () => {
    await producer.sendMany(
      flights.map((value) => ({ topic: 'flights', key: value.origin, value, headers: { source: 'test' } })),
    );
    const consumer = odradek.consumer({
      group: 'g',
      key: string,
      value: json<Flight>(),
      autoOffsetReset: 'earliest',
    });
    consumer.subscribe('flights');
    const seen: number[] = [];
    for await (const { key, value, headers } of consumer) {
      expect(value?.origin).toBe(key);
      expect(headers.map(({ key: name }) => name)).toEqual(['source']);
      seen.push(value?.delay ?? -1);
      if (seen.length === flights.length) break;
    }
    return seen.sort((a, b) => a - b);
  };
  expect(await fake.world.settle(run())).toEqual(flights.map(({ delay }) => delay));
  await fake.world.settle(odradek.close());
  expect(fake.coordinator.members.size).toBe(0);
  expect(() => odradek.producer()).toThrow(/closed/);
});

test('acks 0 over real frames', async () => {
  const fake = new FakeCluster(1);
  const topic = fake.addTopic('t', 1);
  await serve(fake);
  const odradek = client(fake);
  const producer = odradek.producer({ acks: 0 });
  expect(await fake.world.settle(producer.send({ topic: 't', value: 'v' }))).toMatchObject({ offset: -1 });
  await fake.world.run(fake.nowMs + 1000);
  expect(topic.partitions[0]?.values()).toEqual(['v']);
  await fake.world.settle(odradek.close());
});

test('an admin change whose answer was lost is not mistaken for a conflict', async () => {
  const fake = new FakeCluster(1);
  let attempts = 0;
  await serve(fake, () => [
    route(CreateTopics, async ({ topics }: CreateTopicsRequest) => {
      attempts++;
      const name = topics[0]?.name ?? '';
      const exists = fake.topics.has(name);
      const topic = fake.topics.get(name) ?? fake.addTopic(name, 1);
      // The first answer never comes.
      if (attempts === 1) await new Promise(() => {});
      const errorCode = exists ? ERROR_CODE.TOPIC_ALREADY_EXISTS : ERROR_CODE.NONE;
      return {
        throttleTimeMs: 0,
        topics: [
          {
            name,
            topicId: topic.topicId,
            errorCode,
            errorMessage: null,
            numPartitions: 1,
            replicationFactor: 1,
          },
        ],
      };
    }),
  ]);
  const odradek = client(fake);
  const admin = odradek.admin();
  expect(await fake.world.settle(admin.createTopic({ name: 'new' }))).toBe(fake.topics.get('new')?.topicId);
  expect(attempts).toBe(2);
  await expect(fake.world.settle(admin.createTopic({ name: 'new' }))).rejects.toMatchObject({
    code: 'TOPIC_ALREADY_EXISTS',
  });
  expect((await fake.world.settle(admin.listTopics())).map(({ name }) => name)).toEqual(['new']);
  await expect(fake.world.settle(admin.describeTopics(['none']))).rejects.toMatchObject({
    code: 'UNKNOWN_TOPIC_OR_PARTITION',
  });
  await fake.world.settle(odradek.close());
});

test('a bootstrap address that is none is refused by name', () => {
  const fake = new FakeCluster(1);
  const { network: dialer, clock, timers, random } = fake.world.node('client').platform;
  const ports = { dialer, clock, timers, random };
  expect(() => new OdradekClient({ bootstrap: 'localhost:7001' }, ports)).toThrow(
    /"localhost:7001" is not ws:/,
  );
  expect(() => new OdradekClient({ bootstrap: [] }, ports)).toThrow(/bootstrap/);
});
