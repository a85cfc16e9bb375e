import { describe, expect, test } from 'vitest';
import { decodeKafkaResponse } from '../../../src/protocol/kafka-codec.ts';
import { Fetch } from '../../../src/protocol/messages/fetch.ts';
import { Produce } from '../../../src/protocol/messages/produce.ts';
import { batch, errorName, fetchOf, header, kafkaListener, produceOf } from '../support/kafka-listener.ts';

const { bugs, peer, describeTopic, produce, fetch } = kafkaListener();

describe('what has no answer closes the connection, as in Kafka', () => {
  test.each<[string, Buffer]>([
    ['an API that does not exist', header(999, 0)],
    ['an API of brokers', header(62, 0)],
    ['an API that is not served here yet', header(8, 2)],
    ['a version that is not served', Buffer.concat([header(3, 99), Buffer.alloc(20)])],
    ['a body that ends early', header(3, 1)],
    ['a count beyond what is there', Buffer.concat([header(3, 1), Buffer.from('7fffffff', 'hex')])],
    ['a string longer than what is there', Buffer.concat([header(3, 1), Buffer.from('000000017fff', 'hex')])],
    ['a client id that ends early', Buffer.from('0003000100000000ffee0000', 'hex')],
  ])('%s', async (_, frame) => {
    const client = peer();
    client.rawFrame(frame);
    await expect(client.frame()).rejects.toThrow('closed');
  });

  test('answers that are due leave before it', async () => {
    const client = peer();
    client.send(Produce, 9, produceOf('t', [batch(['last'])]));
    client.rawFrame(header(999, 0));
    expect(decodeKafkaResponse(Produce, 9, await client.frame()).body.responses).toHaveLength(1);
    await client.closed;
  });

  test('random frames do no harm', async () => {
    let seed = 12345;
    const random = () => {
      seed = (seed * 1103515245 + 12345) & 0x7fffffff;
      return seed;
    };
    for (let round = 0; round < 300; round++) {
      const client = peer();
      const key = [0, 1, 2, 3, 10, 18, 19, 20, 22, 23, 32, 60][round % 12] ?? 0;
      const body = Buffer.from(Array.from({ length: random() % 60 }, () => random() & 0xff));
      client.rawFrame(Buffer.concat([header(key, random() % 14), body]));
      client.end();
      await client.closed;
    }
    expect((await describeTopic('t')).errorCode).toBe(0);
    expect(bugs).toEqual([]);
  });
});

describe('what is wrong in itself', () => {
  test.each<[string, string, Uint8Array[], number]>([
    ['a version that is only advertised', 'UNSUPPORTED_VERSION', [batch(['a'])], 2],
    ['no records', 'INVALID_RECORD', [], 9],
    ['an older message format', 'INVALID_RECORD', [patched(16, 1)], 9],
    ['a wrong checksum', 'CORRUPT_MESSAGE', [patched(70, 0xff)], 9],
    ['half a batch', 'CORRUPT_MESSAGE', [batch(['a']).subarray(0, 65)], 9],
    ['a length that cannot be', 'CORRUPT_MESSAGE', [patched(8, 0xff)], 9],
    ['a second batch', 'INVALID_RECORD', [Buffer.concat([batch(['a']), batch(['b'])])], 9],
    [
      'a second batch, cut off',
      'INVALID_RECORD',
      [Buffer.concat([batch(['a']), batch(['b']).slice(0, -1)])],
      9,
    ],
    ['too large a batch', 'MESSAGE_TOO_LARGE', [batch(['x'.repeat(1_100_000)])], 9],
  ])('%s is refused', async (_, error, records, version) => {
    const { highWatermark } = await fetch('t', 0);
    expect(await produce('t', records, version)).toMatchObject({ error, baseOffset: -1 });
    expect((await fetch('t', 0)).highWatermark).toBe(highWatermark);
  });

  test('other refusals name their reason', async () => {
    expect(await produce('nope', [batch(['a'])])).toMatchObject({ error: 'UNKNOWN_TOPIC_OR_PARTITION' });
    const client = peer();
    const transactional = { ...produceOf('t', [batch(['a'])]), transactionalId: 'x' };
    const { responses } = await client.call(Produce, 9, transactional);
    expect(errorName(responses[0]?.partitionResponses[0]?.errorCode)).toBe('INVALID_REQUEST');
    const replica = { ...fetchOf('t', 0), replicaState: { replicaId: 1, replicaEpoch: 1 } };
    const { topicId } = await describeTopic('t');
    const topics = replica.topics.map((topic) => ({ ...topic, topicId }));
    const { errorCode } = await client.call(Fetch, 15, { ...replica, topics });
    expect(errorName(errorCode)).toBe('CLUSTER_AUTHORIZATION_FAILED');
    const session = await client.call(Fetch, 11, { ...fetchOf('t', 0), sessionId: 5, sessionEpoch: 2 });
    expect(errorName(session.errorCode)).toBe('FETCH_SESSION_ID_NOT_FOUND');
  });
});

function patched(position: number, value: number): Uint8Array {
  const bytes = batch(['value']);
  bytes[position] = value;
  return bytes;
}
