import { beforeEach, describe, expect, it } from 'vitest';
import { ERROR_CODE } from '../../src/protocol/errors.ts';
import { Fetch, type FetchRequest } from '../../src/protocol/messages/fetch.ts';
import { ListOffsets } from '../../src/protocol/messages/list-offsets.ts';
import { OffsetForLeaderEpoch } from '../../src/protocol/messages/offset-for-leader-epoch.ts';
import { Produce, type ProduceResponse } from '../../src/protocol/messages/produce.ts';
import { ZERO_UUID } from '../../src/protocol/uuid.ts';
import { ask, batchOfMagic, CLIENT, NOBODY, OTHER, resetWorld, TOPIC, world } from './support/fake-broker.ts';

beforeEach(resetWorld);

describe('Produce', () => {
  const produce = (
    more: { acks?: number; topicId?: string; index?: number; transactionalId?: string } = {},
  ) =>
    ask(Produce, {
      transactionalId: more.transactionalId ?? null,
      acks: more.acks ?? -1,
      timeoutMs: 1_000,
      topicData: [
        {
          topicId: more.topicId ?? TOPIC,
          partitionData: [{ index: more.index ?? 0, records: [batchOfMagic(2)] }],
        },
      ],
    });
  const answer = (response: ProduceResponse) => response.responses[0]?.partitionResponses[0];

  it('answers with the base offset, and not at all for acks=0', async () => {
    expect(answer(await produce())).toMatchObject({ errorCode: 0, baseOffset: 42 });
    expect(await produce({ acks: 0 })).toBeUndefined();
  });

  it.each([
    ['INVALID_REQUIRED_ACKS', { acks: 2 }],
    ['INVALID_REQUEST', { transactionalId: 'tx' }],
    ['UNKNOWN_TOPIC_ID', { topicId: NOBODY }],
    ['UNKNOWN_TOPIC_OR_PARTITION', { index: 2 }],
    ['UNKNOWN_TOPIC_OR_PARTITION', { index: -1 }],
  ] as const)('refuses with %s: %j', async (code, more) => {
    expect(answer(await produce(more))).toMatchObject({ errorCode: ERROR_CODE[code], baseOffset: -1 });
    expect(world.logger.lines).toMatchObject([
      { level: 'info', fields: { api: 'Produce', clientId: 'test' } },
    ]);
  });

  it('refuses a partition without records', async () => {
    const topicData = [{ topicId: TOPIC, partitionData: [{ index: 0, records: [] }] }];
    const response = await ask(Produce, { transactionalId: null, acks: 1, timeoutMs: 1, topicData });
    expect(answer(response)).toMatchObject({ errorCode: ERROR_CODE.INVALID_RECORD });
  });

  it('names the leader to turn to (KIP-951)', async () => {
    world.replicas.produced = { errorCode: ERROR_CODE.NOT_LEADER_OR_FOLLOWER };
    const response = await produce({ topicId: OTHER });
    expect(answer(response)?.currentLeader).toEqual({ leaderId: 2, leaderEpoch: 6 });
    expect(response.nodeEndpoints).toEqual([{ nodeId: 2, host: 'host-2', port: 7002, rack: 'rack-2' }]);
  });

  const byName = (names: readonly string[], acks = -1, from = CLIENT) => {
    const partitionData = [{ index: 0, records: [batchOfMagic(2)] }];
    const topicData = names.map((name) => ({ name, topicId: ZERO_UUID, partitionData }));
    return ask(Produce, { transactionalId: null, acks, timeoutMs: 1_000, topicData }, from);
  };

  it('finds topics by name too, and answers with name and id', async () => {
    const { responses } = await byName(['t', 'none']);
    expect(responses).toMatchObject([
      { name: 't', topicId: TOPIC, partitionResponses: [{ errorCode: 0 }] },
      {
        name: 'none',
        topicId: ZERO_UUID,
        partitionResponses: [{ errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION }],
      },
    ]);
  });

  it('ends the connection of a Kafka client that asked for no answer, where there is an error', async () => {
    const closed: string[] = [];
    const close = (reason: string) => void closed.push(reason);
    const from = (listener: 'ws' | 'kafka') => ({ ...CLIENT, caller: { ...CLIENT.caller, listener, close } });
    expect(await byName(['none'], 0, from('ws'))).toBeUndefined();
    expect(await byName(['t'], 0, from('kafka'))).toBeUndefined();
    expect(closed).toEqual([]);
    expect(await byName(['t', 'none'], 0, from('kafka'))).toBeUndefined();
    expect(closed).toHaveLength(1);
  });
});

describe('Fetch', () => {
  const fetch = async (topicId: string, partition = 0) => {
    const asked = {
      partition,
      currentLeaderEpoch: -1,
      fetchOffset: 0,
      lastFetchedEpoch: -1,
      logStartOffset: -1,
    };
    const limits = { maxWaitMs: 10, minBytes: 1, maxBytes: 1_000, isolationLevel: 0, rackId: '' };
    const topics = [{ topicId, partitions: [{ ...asked, partitionMaxBytes: 100 }] }];
    const response = await ask(Fetch, {
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      ...limits,
      topics,
    });
    return response.responses[0]?.partitions[0];
  };

  it('passes answers on', async () => {
    expect(await fetch(TOPIC)).toMatchObject({ errorCode: 0, partitionIndex: 0 });
  });

  it('tells what is unknown from what is elsewhere, and where', async () => {
    world.replicas.fetched = ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION;
    expect(await fetch(NOBODY)).toMatchObject({ errorCode: ERROR_CODE.UNKNOWN_TOPIC_ID });
    expect(await fetch(TOPIC, 5)).toMatchObject({ errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION });
    expect(await fetch(OTHER)).toMatchObject({
      errorCode: ERROR_CODE.NOT_LEADER_OR_FOLLOWER,
      currentLeader: { leaderId: 2, leaderEpoch: 6 },
    });
    expect(world.logger.lines).toHaveLength(3);
  });

  const byName = (more: Partial<FetchRequest> & { names?: readonly string[] }) => {
    const position = { currentLeaderEpoch: -1, fetchOffset: 0, lastFetchedEpoch: -1, logStartOffset: -1 };
    const partitions = [{ partition: 0, ...position, partitionMaxBytes: 100 }];
    const { names = ['t'], ...fields } = more;
    return ask(Fetch, {
      replicaState: { replicaId: -1, replicaEpoch: -1 },
      ...{ maxWaitMs: 10, minBytes: 1, maxBytes: 1_000, isolationLevel: 0, rackId: '' },
      topics: names.map((topic) => ({ topic, topicId: ZERO_UUID, partitions })),
      ...fields,
    });
  };

  it('finds topics by name too, and answers with name and id', async () => {
    const { responses } = await byName({ names: ['none', 't', 'nor this'] });
    const unknown = [{ errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION }];
    expect(responses).toHaveLength(3);
    expect(responses).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ topic: 't', topicId: TOPIC }),
        expect.objectContaining({ topic: 'none', partitions: [expect.objectContaining(unknown[0])] }),
        expect.objectContaining({ topic: 'nor this', partitions: [expect.objectContaining(unknown[0])] }),
      ]),
    );
  });

  it('says of a name whose topic went meanwhile what it says of a name that no topic has', async () => {
    world.replicas.fetched = ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION;
    const before = world.image;
    const response = byName({});
    world.image = world.image.apply([{ type: 'RemoveTopic', topicId: TOPIC }], 2);
    const { responses } = await response;
    world.image = before;
    const partitions = [{ errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION }];
    expect(responses).toMatchObject([{ topic: 't', partitions }]);
  });

  it('knows no fetch sessions (KIP-227)', async () => {
    expect(await byName({ sessionId: 7, sessionEpoch: 1 })).toMatchObject({
      errorCode: ERROR_CODE.FETCH_SESSION_ID_NOT_FOUND,
    });
    expect(await byName({ sessionId: 0, sessionEpoch: 0 })).toMatchObject({ errorCode: 0 });
    expect(await byName({ sessionId: 7, sessionEpoch: -1 })).toMatchObject({ errorCode: 0 });
  });
});

describe('ListOffsets and OffsetForLeaderEpoch', () => {
  it('look topics up by name', async () => {
    const partitions = [{ partitionIndex: 1, currentLeaderEpoch: 4, timestamp: -1 }];
    const topics = [
      { name: 't', partitions },
      { name: 'none', partitions },
    ];
    const listed = await ask(ListOffsets, { replicaId: -1, isolationLevel: 0, topics });
    expect(listed.topics[0]?.partitions[0]).toMatchObject({
      errorCode: 0,
      offset: 9,
      timestamp: -1,
      leaderEpoch: 4,
    });
    expect(listed.topics[1]?.partitions[0]).toMatchObject({
      errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION,
    });
    const epochs = [{ partition: 1, currentLeaderEpoch: 4, leaderEpoch: 3 }];
    const ends = await ask(OffsetForLeaderEpoch, {
      replicaId: -1,
      topics: [
        { topic: 't', partitions: epochs },
        { topic: 't', partitions: [{ partition: 7, currentLeaderEpoch: 4, leaderEpoch: 3 }] },
      ],
    });
    expect(ends.topics[0]?.partitions[0]).toMatchObject({ errorCode: 0, leaderEpoch: 3, endOffset: 12 });
    expect(ends.topics[1]?.partitions[0]).toMatchObject({ errorCode: ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION });
  });
});
