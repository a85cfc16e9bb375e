import { beforeEach, describe, expect, it } from 'vitest';
import { BROKER_DEFAULTS } from '../../src/broker/context.ts';
import { brokerRoutes } from '../../src/broker/handlers.ts';
import { UndecidedChange } from '../../src/controller/pending-replies.ts';
import { ERROR_CODE, KafkaError } from '../../src/protocol/errors.ts';
import { AllocateProducerIds } from '../../src/protocol/messages/allocate-producer-ids.ts';
import { BrokerHeartbeat } from '../../src/protocol/messages/broker-heartbeat.ts';
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts';
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts';
import { InitProducerId } from '../../src/protocol/messages/init-producer-id.ts';
import { ZERO_UUID } from '../../src/protocol/uuid.ts';
import { ask, CLIENT, failure, PEER, resetWorld, TOPIC, world } from './support/fake-broker.ts';

beforeEach(resetWorld);

describe('what the controller decides', () => {
  it('takes the names alone of topics to delete', async () => {
    let asked: unknown;
    world.onController = async (_api, request) => {
      asked = request;
      return {};
    };
    const topics = [{ name: null, topicId: TOPIC }];
    await ask(DeleteTopics, { topics, topicNames: ['a'], timeoutMs: 10 });
    expect(asked).toEqual({ topics: [...topics, { name: 'a', topicId: ZERO_UUID }], timeoutMs: 10 });
  });

  const create = { topics: [], timeoutMs: 1_000, validateOnly: false };

  it('is passed on by any broker, with the time that is left', async () => {
    world.controllerId = 2;
    await ask(CreateTopics, create);
    expect(world.calls).toEqual([{ how: 'send', api: 'CreateTopics', timeoutMs: 1_000 }]);
  });

  it('is asked again while the controller moves', async () => {
    let attempts = 0;
    world.onController = async () => {
      if (++attempts < 4) throw new KafkaError('NOT_CONTROLLER');
      return { done: true };
    };
    const asked = ask(CreateTopics, create);
    await world.time.pass(500);
    expect(await asked).toEqual({ done: true });
    expect(attempts).toBe(4);
  });

  it('is refused when no controller answers in time', async () => {
    world.onController = async () => {
      throw new KafkaError('NOT_CONTROLLER');
    };
    const asked = ask(CreateTopics, create).catch((error: unknown) => error);
    await world.time.pass(1_100);
    expect(await asked).toEqual(failure('REQUEST_TIMED_OUT'));
    expect(world.time.nowMs).toBe(2_100);
    expect(world.logger.lines.at(-1)).toMatchObject({ message: 'Refused a request' });
  });

  it('is not asked again when it may have been done', async () => {
    world.onController = async () => {
      throw Object.assign(new Error('gone'), { maybeExecuted: true });
    };
    await expect(ask(CreateTopics, create)).rejects.toEqual(failure('REQUEST_TIMED_OUT'));
    expect(world.calls).toHaveLength(1);
  });

  it('is not asked again when the controller lost its place with the change under way', async () => {
    world.onController = async () => {
      throw new UndecidedChange();
    };
    await expect(ask(CreateTopics, create)).rejects.toEqual(failure('REQUEST_TIMED_OUT'));
    await expect(ask(CreateTopics, create, PEER)).rejects.toEqual(failure('REQUEST_TIMED_OUT'));
    expect(world.calls).toHaveLength(2);
  });

  it('never waits longer than the config allows', async () => {
    await ask(CreateTopics, { ...create, timeoutMs: 10 ** 9 });
    expect(world.calls[0]?.timeoutMs).toBe(BROKER_DEFAULTS.controllerTimeoutMsMax);
  });

  it('is not passed on a second time', async () => {
    world.onController = async () => {
      throw new KafkaError('NOT_CONTROLLER');
    };
    await expect(ask(CreateTopics, create, PEER)).rejects.toEqual(failure('NOT_CONTROLLER'));
    expect(world.calls).toMatchObject([{ how: 'handle' }]);
  });

  it('for brokers alone stays on the controller', async () => {
    world.onController = async () => {
      throw new KafkaError('NOT_CONTROLLER');
    };
    const request = {
      brokerId: 2,
      brokerEpoch: 102,
      currentMetadataOffset: 1,
      wantFence: false,
      wantShutDown: false,
      catalogueVersion: 3,
      offlineReplicas: [],
    };
    await expect(ask(BrokerHeartbeat, request, PEER)).rejects.toEqual(failure('NOT_CONTROLLER'));
    expect(world.calls).toMatchObject([{ how: 'handle', api: 'BrokerHeartbeat' }]);
  });
});

describe('InitProducerId', () => {
  const init = (producerId = -1, producerEpoch = -1, transactionalId: string | null = null) => ({
    transactionalId,
    transactionTimeoutMs: 0,
    producerId,
    producerEpoch,
  });

  it('hands out ids from one block, which parallel producers share', async () => {
    const handler = brokerRoutes(world.context).find(({ api }) => api === InitProducerId)?.handler;
    let block = 1_000;
    world.onController = async (_api, request) => {
      expect(request).toEqual({ brokerId: 1, brokerEpoch: 101 });
      block += 1_000;
      return { throttleTimeMs: 0, errorCode: 0, producerIdStart: block, producerIdLen: 2 };
    };
    const replies = await Promise.all([0, 1, 2].map(() => handler?.(init(), CLIENT)));
    expect(replies.map((reply) => (reply as { producerId: number }).producerId)).toEqual([
      2_000, 2_001, 3_000,
    ]);
    expect(world.calls.map(({ api }) => api)).toEqual([AllocateProducerIds.name, AllocateProducerIds.name]);
  });

  it('asks again when an answer was lost: a gap in the ids is harmless', async () => {
    let attempts = 0;
    world.onController = async () => {
      if (++attempts === 1) throw Object.assign(new Error('gone'), { maybeExecuted: true });
      return { errorCode: 0, producerIdStart: 70, producerIdLen: 1 };
    };
    const asked = ask(InitProducerId, init());
    await world.time.pass(100);
    expect(await asked).toMatchObject({ errorCode: 0, producerId: 70 });
    expect(world.calls[0]?.timeoutMs).toBe(3_000);
  });

  it('raises the epoch of a known producer, and gives a new id when epochs run out (KIP-360)', async () => {
    expect(await ask(InitProducerId, init(7, 3))).toMatchObject({
      errorCode: 0,
      producerId: 7,
      producerEpoch: 4,
    });
    world.onController = async () => ({ errorCode: 0, producerIdStart: 50, producerIdLen: 1 });
    expect(await ask(InitProducerId, init(7, 32_767))).toMatchObject({ producerId: 50, producerEpoch: 0 });
  });

  it('refuses transactions, and tells a producer to ask again while the broker registers', async () => {
    expect(await ask(InitProducerId, init(-1, -1, 'tx'))).toMatchObject({
      errorCode: ERROR_CODE.INVALID_REQUEST,
    });
    world.onController = async () => ({
      errorCode: ERROR_CODE.STALE_BROKER_EPOCH,
      producerIdStart: 0,
      producerIdLen: 0,
    });
    expect(await ask(InitProducerId, init())).toMatchObject({
      errorCode: ERROR_CODE.COORDINATOR_NOT_AVAILABLE,
    });
  });
});
