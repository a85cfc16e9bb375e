import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeRecords, encodeRecords, type MetadataRecord } from '../../src/metadata/records.ts';
import { CATALOGUE_VERSION } from '../../src/protocol/catalogue-version.ts';
import { ProtocolError } from '../../src/protocol/protocol-error.ts';
import { uuidFrom } from '../../src/protocol/uuid.ts';

const id = (n: number) => uuidFrom(new Uint8Array(16).fill(n));

const samples: MetadataRecord[] = [
  {
    type: 'RegisterBroker',
    brokerId: 1,
    incarnationId: id(1),
    directoryId: id(2),
    listeners: [{ name: 'ws', host: '127.0.0.1', port: 7001 }],
    rack: null,
    cleanShutdown: false,
    brokerEpoch: -1,
  },
  { type: 'BrokerChange', brokerId: 1, brokerEpoch: 2 ** 40, fenced: false, inControlledShutdown: true },
  { type: 'Topic', name: '__proto__', topicId: id(3) },
  {
    type: 'Partition',
    topicId: id(3),
    partition: 0,
    replicas: [1, 2],
    isr: [1],
    elr: [2],
    leader: -1,
    leaderEpoch: 4,
    partitionEpoch: 9,
  },
  { type: 'Config', topicId: id(3), name: 'retention.ms', value: null },
  { type: 'ProducerIds', nextProducerId: 1000 },
  {
    type: 'GroupOffsets',
    groupId: 'constructor',
    commits: [
      {
        topicId: id(3),
        partition: 0,
        offset: 2 ** 52,
        leaderEpoch: 4,
        metadata: 'ü',
        commitTimestampMs: 1.8e12,
      },
    ],
  },
  { type: 'RemoveTopic', topicId: id(3) },
];

describe('metadata records', () => {
  test('a record is not written before the level that it came with', () => {
    const record: MetadataRecord = { type: 'CatalogueLevel', level: 3 };
    expect(() => encodeRecords([record], 2)).toThrow(
      expect.objectContaining({
        code: 'UNSUPPORTED_VERSION',
        message: 'catalogue level 2 has no CatalogueLevel; it takes 3',
      }),
    );
    expect(decodeRecords(encodeRecords([record], 3))).toEqual([record]);
  });

  test('an entry decodes to the records that it was made from', () => {
    expect(decodeRecords(encodeRecords(samples, CATALOGUE_VERSION))).toEqual(samples);
  });

  test('the no-op of an epoch has no records', () => {
    expect(decodeRecords(new Uint8Array(0))).toEqual([]);
  });

  test('a damaged entry throws a ProtocolError and nothing else', () => {
    const bytes = encodeRecords(samples, CATALOGUE_VERSION);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, value, cut) => {
        const damaged = cut ? bytes.slice(0, at + 1) : bytes.slice();
        if (!cut) damaged[at] = value;
        try {
          decodeRecords(damaged);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: 500 },
    );
  });

  test('a record that this release does not know is refused, never skipped', () => {
    // [[99, []]]
    expect(() => decodeRecords(new Uint8Array([0x91, 0x92, 99, 0x90]))).toThrow(ProtocolError);
  });
});
