import { describe, expect, test } from 'vitest';
import { COMPRESSION, loadCodec } from '../../../src/protocol/compression.ts';
import { ERROR_CODE } from '../../../src/protocol/errors.ts';
import { Fetch } from '../../../src/protocol/messages/fetch.ts';
import { ListOffsets } from '../../../src/protocol/messages/list-offsets.ts';
import { Metadata } from '../../../src/protocol/messages/metadata.ts';
import { OffsetForLeaderEpoch } from '../../../src/protocol/messages/offset-for-leader-epoch.ts';
import { Produce } from '../../../src/protocol/messages/produce.ts';
import {
  batch,
  errorName,
  fetchOf,
  kafkaListener,
  metadataOf,
  produceOf,
} from '../support/kafka-listener.ts';

const { peer, overWebSocket, describeTopic, newTopic, produce, fetch } = kafkaListener();

describe('Produce and Fetch', () => {
  test('answers come in the order of the requests', async () => {
    const client = peer();
    const ids = [
      client.send(Produce, 9, produceOf('t', [batch(['1'])])),
      client.send(Fetch, 11, fetchOf('t', 1_000_000)),
      client.send(Produce, 9, produceOf('t', [batch(['2'])])),
      client.send(Produce, 9, produceOf('t', [batch(['3'])])),
      client.send(Metadata, 1, metadataOf('t')),
    ];
    const answered: number[] = [];
    for (const _ of ids) answered.push(Buffer.from(await client.frame()).readInt32BE(0));
    expect(answered).toEqual(ids);
  });

  test.each([3, 5, 7, 8, 9, 10, 11])(
    'version %i of Produce, read by every version of Fetch',
    async (version) => {
      const name = `produce-${version}`;
      await newTopic(name);
      const written = batch(['a', 'b', 'c']);
      expect(await produce(name, [written], version)).toMatchObject({ error: 'NONE', baseOffset: 0 });
      const { topicId: id } = await describeTopic(name);
      for (let reader = 4; reader <= 18; reader++) {
        const request = fetchOf(name, 0);
        const topics = request.topics.map((topic) => (reader >= 13 ? { ...topic, topicId: id } : topic));
        const { responses } = await peer().call(Fetch, reader, { ...request, topics });
        const [answer] = responses[0]?.partitions ?? [];
        expect(answer).toMatchObject({ errorCode: 0, highWatermark: 3, lastStableOffset: 3 });
        // The broker wrote the leader epoch, outside the checksum.
        expect(Buffer.concat(answer?.records ?? []).subarray(16)).toEqual(Buffer.from(written.subarray(16)));
      }
    },
  );

  test('what one side writes the other reads, equal to the byte', async () => {
    await newTopic('both');
    const client = peer();
    const webSocket = overWebSocket();
    const { topicId: id } = await describeTopic('both');
    await client.call(Produce, 9, produceOf('both', [batch(['from Kafka', 'x'])]));
    const request = produceOf('both', [batch(['from a WebSocket'])]);
    const topicData = request.topicData.map((topic) => ({ ...topic, topicId: id }));
    await webSocket.call(Produce, { ...request, topicData });
    const asked = fetchOf('both', 0);
    const topics = asked.topics.map((topic) => ({ ...topic, topicId: id }));
    const there = await webSocket.call(Fetch, { ...asked, topics });
    webSocket.close();
    const here = await fetch('both', 0);
    expect(here.bytes).toEqual(Buffer.concat(there.responses[0]?.partitions[0]?.records ?? []));
    expect(here.bytes.toString('latin1')).toMatch(/from Kafka.*from a WebSocket/s);
  });

  test('an offset inside a batch gets the whole batch; the first batch comes above every limit', async () => {
    await newTopic('inside');
    const first = batch(['a', 'b', 'c']);
    const second = batch(['d'.repeat(1000)]);
    await produce('inside', [first]);
    await produce('inside', [second]);
    expect((await fetch('inside', 2, { maxBytes: 1 })).bytes.length).toBe(first.length);
    expect((await fetch('inside', 3, { maxBytes: 0 })).bytes.length).toBe(second.length);
    expect((await fetch('inside', 0)).bytes.length).toBe(first.length + second.length);
    expect((await fetch('inside', 4, { maxWaitMs: 1 })).bytes.length).toBe(0);
    expect((await fetch('inside', 5)).error).toBe('OFFSET_OUT_OF_RANGE');
  });

  test('without acks there is no answer, and on an error no connection', async () => {
    await newTopic('silent');
    const client = peer();
    client.send(Produce, 9, produceOf('silent', [batch(['unanswered'])], 0));
    const id = client.send(Metadata, 1, metadataOf('silent'));
    expect(Buffer.from(await client.frame()).readInt32BE(0)).toBe(id);
    expect((await fetch('silent', 0)).bytes.toString('latin1')).toContain('unanswered');
    client.send(Produce, 9, produceOf('no such topic', [batch(['lost'])], 0));
    await client.closed;
  });

  test('zstd is for who speaks a version that knows it: Produce 7, Fetch 10 (KIP-110)', async () => {
    await loadCodec(COMPRESSION.zstd);
    await newTopic('zstd');
    const plain = batch(['plain']);
    const packed = batch(['packed'.repeat(100)], 2000, COMPRESSION.zstd);
    await produce('zstd', [plain]);
    expect((await produce('zstd', [packed], 6)).error).toBe('UNSUPPORTED_COMPRESSION_TYPE');
    expect(await produce('zstd', [packed], 7)).toMatchObject({ error: 'NONE', baseOffset: 1 });
    for (let version = 4; version <= 12; version++) {
      const isOld = version < 10;
      // What comes before can be read.
      const all = await fetch('zstd', 0, { version });
      expect(all).toMatchObject({ error: 'NONE', highWatermark: 2 });
      expect(all.bytes.length).toBe(isOld ? plain.length : plain.length + packed.length);
      const rest = await fetch('zstd', 1, { version });
      expect(rest.error).toBe(isOld ? 'UNSUPPORTED_COMPRESSION_TYPE' : 'NONE');
      expect(rest.bytes.length).toBe(isOld ? 0 : packed.length);
    }
  });
});

test('ListOffsets finds every position, each from its version on', async () => {
  await newTopic('positions');
  await produce('positions', [batch(['a', 'b'], 1000)]);
  await produce('positions', [batch(['c'], 5000)]);
  await produce('positions', [batch(['d'], 3000)]);
  const find = async (timestamp: number, version: number) => {
    const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }];
    const request = { replicaId: -1, isolationLevel: 1, topics: [{ name: 'positions', partitions }] };
    const { topics } = await peer().call(ListOffsets, version, request);
    const { errorCode, offset, leaderEpoch } = topics[0]?.partitions[0] ?? {};
    if (errorCode !== ERROR_CODE.NONE) return errorName(errorCode);
    // The first leader's, where the version has room for it and there is a record.
    expect(leaderEpoch).toBe(version >= 4 && offset !== -1 ? 0 : -1);
    return offset;
  };
  for (let version = 1; version <= 11; version++) {
    expect(await find(-1, version)).toBe(4);
    expect(await find(-2, version)).toBe(0);
    expect(await find(1001, version)).toBe(1);
    expect(await find(2000, version)).toBe(2);
    expect(await find(9000, version)).toBe(-1);
    expect(await find(-3, version)).toBe(version >= 7 ? 2 : 'UNSUPPORTED_VERSION');
    expect(await find(-4, version)).toBe(version >= 8 ? 0 : 'UNSUPPORTED_VERSION');
    expect(await find(-5, version)).toBe(version >= 9 ? -1 : 'UNSUPPORTED_VERSION');
    expect(await find(-6, version)).toBe(version >= 11 ? -1 : 'UNSUPPORTED_VERSION');
    expect(await find(-7, version)).toBe('UNSUPPORTED_VERSION');
  }
});

test('OffsetForLeaderEpoch tells where an epoch ended: consumers ask when a partition moved', async () => {
  await newTopic('epochs');
  await produce('epochs', [batch(['a', 'b'])]);
  const end = async (version: number, leaderEpoch: number, currentLeaderEpoch = -1, partition = 0) => {
    const partitions = [{ partition, currentLeaderEpoch, leaderEpoch }];
    const request = { replicaId: -1, topics: [{ topic: 'epochs', partitions }] };
    const { topics } = await peer().call(OffsetForLeaderEpoch, version, request);
    const answer = topics[0]?.partitions[0];
    return [errorName(answer?.errorCode), answer?.leaderEpoch, answer?.endOffset];
  };
  for (let version = 2; version <= 4; version++) {
    expect(await end(version, 0, 0)).toEqual(['NONE', 0, 2]);
    expect(await end(version, 1)).toEqual(['NONE', -1, -1]);
    expect(await end(version, 0, 7)).toEqual(['UNKNOWN_LEADER_EPOCH', -1, -1]);
    expect(await end(version, 0, 0, 9)).toEqual(['UNKNOWN_TOPIC_OR_PARTITION', -1, -1]);
  }
});
