import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { catalogue } from '../../src/protocol/catalogue.ts';
import {
  decodeRequestBody,
  decodeRequestHeader,
  decodeResponseBody,
  decodeResponseHeader,
  encodeRequest,
  encodeResponse,
} from '../../src/protocol/codec.ts';
import {
  decodeKafkaRequestBody,
  decodeKafkaRequestHeader,
  decodeKafkaResponse,
  encodeKafkaRequest,
  encodeKafkaResponse,
} from '../../src/protocol/kafka-codec.ts';
import { ApiVersions } from '../../src/protocol/messages/api-versions.ts';
import { Fetch } from '../../src/protocol/messages/fetch.ts';
import { Metadata } from '../../src/protocol/messages/metadata.ts';
import { Produce, type ProduceRequest } from '../../src/protocol/messages/produce.ts';
import { ProtocolError } from '../../src/protocol/protocol-error.ts';
import { type AnyApi, api, array, bytes, int8, int32, string, struct } from '../../src/protocol/schema.ts';
import { ZERO_UUID } from '../../src/protocol/uuid.ts';
import { anyDraft, anyValue, join } from './support/arbitrary.ts';
import { kafkaView } from './support/kafka-view.ts';

const SIZE_BYTES = 4;

/** Every version of every API that has Kafka's encoding. */
const versions: readonly (readonly [name: string, version: number, each: AnyApi])[] = [
  ...catalogue.values(),
].flatMap((each) => {
  const [min, max] = each.kafka?.versions ?? [0, -1];
  return Array.from({ length: max - min + 1 }, (_, i) => [each.name, min + i, each] as const);
});

/** The frame without its size, which is checked. */
function frame(parts: readonly Uint8Array[]): Uint8Array {
  const whole = join(parts);
  expect(new DataView(whole.buffer).getInt32(0)).toBe(whole.length - SIZE_BYTES);
  return whole.subarray(SIZE_BYTES);
}

const readRequest = (each: AnyApi, bytes: Uint8Array) =>
  decodeKafkaRequestBody(each, decodeKafkaRequestHeader(bytes));

describe.each(versions)('%s version %i', (_name, version, each) => {
  test('a request is read back as far as the version tells it', () => {
    fc.assert(
      fc.property(anyValue(each.request), fc.option(fc.string({ maxLength: 20 })), (body, clientId) => {
        const read = decodeKafkaRequestHeader(frame(encodeKafkaRequest(each, version, 7, clientId, body)));
        expect(read).toMatchObject({ apiKey: each.key, apiVersion: version, correlationId: 7, clientId });
        expect(decodeKafkaRequestBody(each, read)).toEqual(kafkaView(each.request, version, body));
      }),
      { numRuns: 30 },
    );
  });

  test('a response is read back as far as the version tells it', () => {
    fc.assert(
      fc.property(anyValue(each.response), (body) => {
        const read = decodeKafkaResponse(each, version, frame(encodeKafkaResponse(each, version, -5, body)));
        expect(read).toEqual({ correlationId: -5, body: kafkaView(each.response, version, body) });
      }),
      { numRuns: 30 },
    );
  });
});

describe.each([...catalogue.values()].filter(({ kafka }) => kafka))('$name', (each) => {
  const newest = each.kafka?.versions[1] ?? 0;

  test('says the same in both encodings, whatever the writer leaves out', () => {
    fc.assert(
      fc.property(anyDraft(each.request), anyDraft(each.response), (request, response) => {
        const inMsgpack = decodeRequestBody(
          each,
          decodeRequestHeader(encodeRequest(each, 0, 1, null, request)),
        );
        const inKafka = readRequest(each, frame(encodeKafkaRequest(each, newest, 1, null, request)));
        expect(inKafka).toEqual(kafkaView(each.request, newest, inMsgpack));
        const answer = decodeResponseBody(each, decodeResponseHeader(encodeResponse(each, 1, response)));
        const inKafkaToo = decodeKafkaResponse(
          each,
          newest,
          frame(encodeKafkaResponse(each, newest, 1, response)),
        );
        expect(inKafkaToo.body).toEqual(kafkaView(each.response, newest, answer));
      }),
      { numRuns: 30 },
    );
  });
});

const noPartition = { index: 0, errorCode: 0, baseOffset: 0, logAppendTimeMs: -1, logStartOffset: -1 };
const noLeader = { leaderId: -1, leaderEpoch: -1 };

test('record batches are neither copied on the way out nor on the way in', () => {
  const first = Uint8Array.of(1, 2, 3);
  const second = Uint8Array.of(4);
  const request: ProduceRequest = {
    transactionalId: null,
    acks: 1,
    timeoutMs: 1,
    topicData: [
      {
        name: 't',
        topicId: ZERO_UUID,
        partitionData: [
          { index: 0, records: [first, second] },
          { index: 1, records: [] },
        ],
      },
    ],
  };
  const parts = encodeKafkaRequest(Produce, 9, 1, null, request);
  expect(parts[1]).toBe(first);
  expect(parts[2]).toBe(second);
  const whole = frame(parts);
  const [topic] = decodeKafkaRequestBody(Produce, decodeKafkaRequestHeader(whole)).topicData;
  expect(topic?.partitionData.map(({ records }) => records)).toEqual([[Uint8Array.of(1, 2, 3, 4)], []]);
  expect(topic?.partitionData[0]?.records[0]?.buffer).toBe(whole.buffer);
});

test('what may be left out takes its default', () => {
  const response = { errorCode: 0, apiKeys: [], throttleTimeMs: 0, catalogueVersion: 0 };
  const bytes = frame(encodeKafkaResponse(ApiVersions, 3, 1, response));
  // Correlation id, error, no keys, throttle time, no tagged field: and no tagged fields in the header (KIP-511).
  expect([...bytes]).toEqual([0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0]);
  expect(decodeKafkaResponse(ApiVersions, 3, bytes).body).toMatchObject({
    supportedFeatures: [],
    finalizedFeaturesEpoch: -1,
    zkMigrationReady: false,
  });
});

test('version 0 of Metadata says "all topics" by none', () => {
  const all = frame(encodeKafkaRequest(Metadata, 0, 1, null, { topics: null, allowAutoTopicCreation: true }));
  expect([...all.subarray(-4)]).toEqual([0, 0, 0, 0]);
  expect(readRequest(Metadata, all)).toMatchObject({ topics: null, allowAutoTopicCreation: true });
  const none = frame(encodeKafkaRequest(Metadata, 1, 1, null, { topics: [], allowAutoTopicCreation: true }));
  expect(readRequest(Metadata, none)).toMatchObject({ topics: [] });
});

test('an int64 beyond 2^53 counts as the nearest safe integer', () => {
  const fields = { ...noPartition, errorMessage: null, currentLeader: noLeader };
  const responses = [{ name: '', topicId: ZERO_UUID, partitionResponses: [fields] }];
  const bytes = frame(encodeKafkaResponse(Produce, 3, 1, { responses, throttleTimeMs: 0 }));
  const at = bytes.length - 4 - 8 - 8;
  bytes.set([0x7f, 255, 255, 255, 255, 255, 255, 255], at);
  bytes.set([0x80, 0, 0, 0, 0, 0, 0, 0], at + 8);
  const [topic] = decodeKafkaResponse(Produce, 3, bytes).body.responses;
  expect(topic?.partitionResponses).toMatchObject([
    { baseOffset: Number.MAX_SAFE_INTEGER, logAppendTimeMs: Number.MIN_SAFE_INTEGER },
  ]);
});

/** Tag 0 is a number since version 1, tag 2 a text since version 2. */
const Tagged = api({
  key: 12346,
  name: 'Tagged',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [0, 2], flexible: 0 },
  request: struct({
    plain: int8(),
    number: int32().since(1).tagged(0).default(-1).optional(),
    text: string().since(2).tagged(2).nullable().optional(),
    blob: bytes(3).optional(),
    list: array(string()).nullable({ since: 1 }),
  }),
  response: struct({}),
});
const taggedRequest = (version: number, body: readonly number[]) =>
  decodeKafkaRequestBody(Tagged, { apiVersion: version, rest: Uint8Array.of(0, 5, 1, 1, ...body) });

describe('tagged fields', () => {
  test('are read where the version knows them, and skipped where it does not', () => {
    // Tag 0: 7, tag 1: unknown to all, tag 2: 'hi'.
    const tags = [3, 0, 4, 0, 0, 0, 7, 1, 2, 9, 9, 2, 3, 3, 0x68, 0x69];
    expect(taggedRequest(2, tags)).toMatchObject({ plain: 5, number: 7, text: 'hi' });
    expect(taggedRequest(1, tags)).toMatchObject({ plain: 5, number: 7, text: null });
    expect(taggedRequest(0, tags)).toMatchObject({ plain: 5, number: -1, text: null });
  });

  test.each([
    ['more fields than there are', [9]],
    ['a length beyond the end', [1, 0, 5, 0, 0, 0, 7]],
    ['a length below what its value takes', [1, 0, 3, 0, 0, 0, 7]],
    ['a length above what its value takes', [1, 0, 5, 0, 0, 0, 7, 0]],
    ['an endless varint', [255, 255, 255, 255, 255, 255]],
  ])('refuses %s', (_name, tags) => {
    expect(() => taggedRequest(2, tags)).toThrow(ProtocolError);
  });

  test('are written in the order of their tags, and only where they differ from their default', () => {
    const body = (fields: object) => [
      ...frame(encodeKafkaRequest(Tagged, 2, 0, null, { plain: 5, list: [], ...fields })).subarray(14),
    ];
    expect(body({ number: 7, text: 'h' })).toEqual([2, 0, 4, 0, 0, 0, 7, 2, 2, 2, 0x68]);
    expect(body({ number: -1, text: null })).toEqual([0]);
    expect(body({ text: '' })).toEqual([1, 2, 1, 1]);
  });
});

describe('what cannot be is refused', () => {
  const encode = (version: number, fields: object) =>
    encodeKafkaRequest(Tagged, version, 0, null, { plain: 0, list: [], ...fields });

  test('to encode', () => {
    expect(() => encode(2, { plain: 128 })).toThrow('Tagged request.plain must be an integer');
    expect(() => encode(2, { plain: undefined })).toThrow('Tagged request.plain must be an integer');
    expect(() => encode(2, { blob: new Uint8Array(4) })).toThrow('at most 3 bytes');
    expect(() => encode(2, { list: ['x'.repeat(0x8000)] })).toThrow('at most 32767 bytes');
    expect(() => encode(2, { list: [null] })).toThrow('request.list[] must be a string');
    expect(() => encode(3, {})).toThrow('Tagged version 3 is not known');
    expect(() => encode(-1, {})).toThrow(ProtocolError);
  });

  test('a null is written as the empty value before it could be null', () => {
    const read = (version: number) => readRequest(Tagged, frame(encode(version, { list: null })));
    expect(read(0)).toMatchObject({ list: [] });
    expect(read(1)).toMatchObject({ list: null });
  });

  test('a count is checked against the bytes that remain before anything is allocated', () => {
    const rest = [0, 0, 0, 0, 0, 0, 0, 1, 134, 160];
    const legacy = { apiVersion: 7, rest: Uint8Array.of(255, 255, ...rest) };
    expect(() => decodeKafkaRequestBody(Produce, legacy)).toThrow('elements where 0 bytes remain');
  });

  test('null where it may not be', () => {
    const rest = Uint8Array.of(0, 5, 1, 0, 0);
    expect(() => decodeKafkaRequestBody(Tagged, { apiVersion: 0, rest })).toThrow('list has the length -1');
    expect(decodeKafkaRequestBody(Tagged, { apiVersion: 1, rest })).toMatchObject({ list: null });
  });
});

test('null records are no records', () => {
  const request = { transactionalId: null, acks: 1, timeoutMs: 1, topicData: [] as never[] };
  const topicData = [{ topicId: ZERO_UUID, partitionData: [{ index: 0, records: [] }] }];
  const bytes = frame(encodeKafkaRequest(Produce, 3, 1, null, { ...request, topicData }));
  bytes.set([255, 255, 255, 255], bytes.length - 4);
  expect(readRequest(Produce, bytes)).toMatchObject({ topicData: [{ partitionData: [{ records: [] }] }] });
});

test('an api without marks has no Kafka encoding', () => {
  const Plain = api({
    key: 1,
    name: 'Plain',
    minVersion: 0,
    maxVersion: 0,
    request: struct({}),
    response: struct({}),
  });
  expect(() => encodeKafkaRequest(Plain, 0, 0, null, {})).toThrow('Plain version 0 is not known');
  expect(Fetch.kafka).toEqual({ versions: [4, 18], flexible: 12, served: [4, 18], advertised: [4, 18] });
});
