import { describe, expect, test } from 'vitest';
import { deltaOf } from '../../src/metadata/delta.ts';
import { MetadataImage } from '../../src/metadata/image.ts';
import type { MetadataRecord } from '../../src/metadata/records.ts';
import {
  decodeSnapshot,
  decodeSnapshotRecords,
  encodeSnapshot,
  snapshotLevel,
} from '../../src/metadata/snapshot.ts';
import { topicConfigProblem } from '../../src/metadata/topic-config.ts';
import { topicNameProblem } from '../../src/metadata/topic-name.ts';
import { uuidFrom } from '../../src/protocol/uuid.ts';

const id = (n: number) => uuidFrom(new Uint8Array(16).fill(n));
const partition = (topicId: string, n: number): MetadataRecord => ({
  type: 'Partition',
  topicId,
  partition: n,
  replicas: [1, 2, 3],
  isr: [1, 2],
  elr: [],
  leader: 1,
  leaderEpoch: 0,
  partitionEpoch: n,
});
const offset = (groupId: string, topicId: string, at: number): MetadataRecord => ({
  type: 'GroupOffsets',
  groupId,
  commits: [{ topicId, partition: 0, offset: at, leaderEpoch: -1, metadata: '', commitTimestampMs: 1 }],
});
const joined = (parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

const HOSTILE = ['__proto__', 'constructor', 'hasOwnProperty', 'toString'];

function filled(): MetadataImage {
  const topics = HOSTILE.flatMap((name, i): MetadataRecord[] => [
    { type: 'Topic', name, topicId: id(i) },
    partition(id(i), 0),
    partition(id(i), 1),
    { type: 'Config', topicId: id(i), name: 'retention.ms', value: '5' },
  ]);
  return MetadataImage.EMPTY.apply(topics, 1).apply([offset('__proto__', id(0), 7)], 2);
}

describe('image', () => {
  test('names are plain keys, whatever they are', () => {
    const image = filled();
    for (const name of HOSTILE) expect(image.topicByName(name)?.name).toBe(name);
    expect(image.topicByName('valueOf')).toBeUndefined();
    expect(image.groups.get('__proto__')?.offsets.get(id(0))?.get(0)?.offset).toBe(7);
  });

  test('a later image shares what did not change with the one before', () => {
    const before = filled();
    const after = before.apply(
      [{ ...partition(id(1), 1), leader: 2, partitionEpoch: 2 } as MetadataRecord],
      3,
    );
    expect(after.topics.get(id(0))).toBe(before.topics.get(id(0)));
    expect(before.partition(id(1), 1)?.leader).toBe(1);
    expect(deltaOf(before, after).topicsChanged.map((topic) => topic.id)).toEqual([id(1)]);
    expect(deltaOf(before, after.apply([offset('g', id(0), 1)], 4)).brokersChanged).toEqual([]);
  });

  test('a snapshot restores the image, and equal images have equal snapshots', () => {
    const image = filled();
    const bytes = joined(encodeSnapshot(image));
    const restored = decodeSnapshot(bytes, image.index);
    expect(joined(encodeSnapshot(restored))).toEqual(bytes);
    expect(restored.topicByName('constructor')?.config.retentionMs).toBe(5);
    for (let cut = 1; cut < bytes.length; cut += 7)
      expect(() => decodeSnapshot(bytes.subarray(0, cut), 2)).toThrow();
  });

  test('the catalogue level stands in front, where also a release that knows no more of it finds it', () => {
    const old = filled();
    const raised = old.apply([{ type: 'CatalogueLevel', level: 7 }], 3);
    const bytes = joined(encodeSnapshot(raised));
    expect(snapshotLevel(bytes)).toBe(7);
    expect(snapshotLevel(joined(encodeSnapshot(old)))).toBe(2);
    expect(decodeSnapshot(bytes, 3).catalogueLevel).toBe(7);
    const [header, level] = decodeSnapshotRecords(bytes);
    expect([header?.type, level?.type]).toEqual(['SnapshotHeader', 'CatalogueLevel']);
    // Whatever comes behind the first chunk.
    const chunkEnd = 4 + new DataView(bytes.buffer).getUint32(0);
    const unknown = Uint8Array.of(...bytes.subarray(0, chunkEnd), 0, 0, 0, 4, 0x91, 0x92, 99, 0x90);
    expect(() => decodeSnapshot(unknown, 3)).toThrow('unknown metadata record type 99');
    expect(snapshotLevel(unknown)).toBe(7);
    expect(() => raised.apply([{ type: 'CatalogueLevel', level: 6 }], 4)).toThrow();
  });

  test('a broker epoch is the index of its registration, also after a snapshot', () => {
    const image = MetadataImage.EMPTY.apply(
      [
        {
          type: 'RegisterBroker',
          brokerId: 4,
          incarnationId: id(1),
          directoryId: id(2),
          listeners: [],
          rack: 'a',
          cleanShutdown: true,
          brokerEpoch: -1,
        },
      ],
      41,
    );
    const restored = decodeSnapshot(joined(encodeSnapshot(image)), 60);
    expect(restored.brokers.get(4)).toEqual(image.brokers.get(4));
    expect(restored.brokers.get(4)?.epoch).toBe(41);
  });

  test('committed offsets go with their topic, groups with their removal', () => {
    const image = filled().apply([{ type: 'RemoveTopic', topicId: id(0) }], 3);
    expect(image.groups.get('__proto__')?.offsets.size).toBe(0);
    expect(image.topicByName('__proto__')).toBeUndefined();
    expect(image.apply([{ type: 'RemoveGroup', groupId: '__proto__' }], 4).groups.size).toBe(0);
  });

  test('an entry that does not fit, or comes twice, is a broken invariant', () => {
    expect(() => filled().apply([], 2)).toThrow();
    expect(() => filled().apply([partition(id(9), 0)], 3)).toThrow();
    expect(() => filled().apply([partition(id(0), 5)], 3)).toThrow();
  });
});

describe('topic names and configs', () => {
  test('names follow the rules of Kafka', () => {
    for (const name of ['a', '__proto__', 'a.b_c-D9', 'x'.repeat(249)])
      expect(topicNameProblem(name)).toBeUndefined();
    for (const name of ['', '.', '..', 'a/b', 'a b', 'ü', 'x'.repeat(250), 'a\n', '__consumer_offsets'])
      expect(topicNameProblem(name)).toBeTypeOf('string');
  });

  test('a wrong config is refused with the nearest right one', () => {
    expect(topicConfigProblem('retention.mss', '1')).toContain('did you mean retention.ms?');
    expect(topicConfigProblem('min.isync.replicas', '1')).toContain('min.insync.replicas');
    expect(topicConfigProblem('__proto__', '1')).toContain('unknown');
    expect(topicConfigProblem('retention.ms', '-2')).toContain('from -1');
    expect(topicConfigProblem('flush', 'never')).toContain('sync or os');
    expect(topicConfigProblem('flush', 'synch')).toContain('did you mean sync?');
    expect(topicConfigProblem('min.insync.replicas', '0')).toContain('did you mean 1?');
    expect(topicConfigProblem('retention.ms', '-1')).toBeUndefined();
    for (const value of ['', '1e3', ' 1', '0x10', '1.5', null])
      expect(topicConfigProblem('retention.ms', value)).toBeTypeOf('string');
  });
});
