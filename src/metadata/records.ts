/**
 * The metadata records: everything that the cluster agrees on, as changes. One Raft entry carries a list of them,
 * applied as one: nobody ever sees half an entry.
 */

import { KafkaError } from '../protocol/errors.ts';
import { PartsReader } from '../protocol/message-parts.ts';
import { packArrays } from '../protocol/msgpack.ts';
import { readMsgpack } from '../protocol/msgpack-reader.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { Infer, Schema } from '../protocol/schema.ts';
import { array, bool, int16, int32, int64, string, struct, uuid } from '../protocol/schema.ts';
import { type Compiled, compile } from '../protocol/schema-compiler.ts';

const topicPartitions = array(struct({ topicId: uuid(), partitions: array(int32()) }));

/** The version of the catalogue from which on a broker tells of single replicas that are damaged. */
export const OFFLINE_REPLICAS_SINCE = 3;

/**
 * Every record: its number on the wire and its fields. Numbers are never reused; fields are appended only. `since` is the
 * version of the catalogue that it came with: before the cluster's level is there, it must not be written.
 */
const RECORDS = {
  RegisterBroker: {
    id: 1,
    fields: struct({
      brokerId: int32(),
      incarnationId: uuid(),
      directoryId: uuid(),
      listeners: array(struct({ name: string(), host: string(), port: int32() })),
      rack: string().nullable(),
      cleanShutdown: bool(),
      /** -1 (as proposed): the index of the entry. Snapshots carry the number. */
      brokerEpoch: int64().default(-1),
    }),
  },
  BrokerChange: {
    id: 2,
    fields: struct({ brokerId: int32(), brokerEpoch: int64(), fenced: bool(), inControlledShutdown: bool() }),
  },
  Topic: { id: 3, fields: struct({ name: string(), topicId: uuid() }) },
  RemoveTopic: { id: 4, fields: struct({ topicId: uuid() }) },
  Partition: {
    id: 5,
    fields: struct({
      topicId: uuid(),
      partition: int32(),
      replicas: array(int32()),
      isr: array(int32()),
      elr: array(int32()),
      leader: int32(),
      leaderEpoch: int32(),
      partitionEpoch: int32(),
    }),
  },
  Config: { id: 6, fields: struct({ topicId: uuid(), name: string(), value: string().nullable() }) },
  ProducerIds: { id: 7, fields: struct({ nextProducerId: int64() }) },
  GroupOffsets: {
    id: 8,
    fields: struct({
      groupId: string(),
      commits: array(
        struct({
          topicId: uuid(),
          partition: int32(),
          offset: int64(),
          leaderEpoch: int32(),
          metadata: string(),
          commitTimestampMs: int64(),
        }),
      ),
    }),
  },
  Group: {
    id: 9,
    fields: struct({
      groupId: string(),
      groupEpoch: int32(),
      assignmentEpoch: int32(),
      assignorName: string(),
      /** When (wall clock) the last member left, to expire offsets; -1 while the group has members. */
      emptySinceMs: int64().default(-1),
    }),
  },
  GroupMember: {
    id: 10,
    fields: struct({
      groupId: string(),
      memberId: string(),
      memberEpoch: int32(),
      previousMemberEpoch: int32(),
      instanceId: string().nullable(),
      rackId: string().nullable(),
      clientId: string(),
      clientHost: string(),
      subscribedTopicNames: array(string()),
      rebalanceTimeoutMs: int32(),
      assignedPartitions: topicPartitions,
      partitionsPendingRevocation: topicPartitions,
      /** The assignor that the member asks for; null: the default. */
      serverAssignor: string().nullable(),
    }),
  },
  RemoveGroupMember: { id: 11, fields: struct({ groupId: string(), memberId: string() }) },
  GroupTarget: {
    id: 12,
    fields: struct({ groupId: string(), memberId: string(), partitions: topicPartitions }),
  },
  RemoveGroup: { id: 13, fields: struct({ groupId: string() }) },
  RemoveGroupOffsets: { id: 14, fields: struct({ groupId: string(), topicId: uuid(), partition: int32() }) },
  /** The first record of a snapshot. */
  SnapshotHeader: { id: 15, fields: struct({ version: int16(), recordCount: int32() }) },
  /** From here on, what came with this version of the catalogue may be written: every node can read it. */
  CatalogueLevel: { id: 16, since: 3, fields: struct({ level: int16() }) },
  /** All replicas of a broker whose copy is damaged: they can be neither read nor followed until they are rebuilt. */
  OfflineReplicas: {
    id: 17,
    since: OFFLINE_REPLICAS_SINCE,
    fields: struct({
      brokerId: int32(),
      brokerEpoch: int64(),
      replicas: array(struct({ topicId: uuid(), partition: int32() })),
    }),
  },
} as const;

type DeepReadonly<T> = T extends readonly (infer Element)[]
  ? readonly DeepReadonly<Element>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

type RecordTypes = { [K in keyof typeof RECORDS]: DeepReadonly<Infer<(typeof RECORDS)[K]['fields']>> };

/** The name of a record's type. */
type RecordType = keyof RecordTypes;
/** One record: its type and its fields. */
export type MetadataRecord = {
  [K in RecordType]: { readonly type: K } & Readonly<RecordTypes[K]>;
}[RecordType];
/** The record of one type. */
export type RecordOf<K extends RecordType> = Extract<MetadataRecord, { type: K }>;
/** Partitions by topic, as groups assign them. */
export type TopicPartitions = DeepReadonly<Infer<typeof topicPartitions>>;

interface Codec {
  readonly type: RecordType;
  readonly id: number;
  readonly since: number;
  readonly fields: Compiled<object>;
}

const CODECS: readonly Codec[] = Object.entries(RECORDS).map(([type, { id, fields, ...rest }]) => ({
  type: type as RecordType,
  id,
  since: 'since' in rest ? rest.since : 0,
  fields: compile(fields as Schema<object>, `${type} record`),
}));
const CODEC_OF_TYPE: ReadonlyMap<string, Codec> = new Map(CODECS.map((codec) => [codec.type, codec]));
const CODEC_OF_ID: ReadonlyMap<unknown, Codec> = new Map(CODECS.map((codec) => [codec.id, codec]));

/**
 * The payload of one Raft entry: a list of [record id, fields], in what a cluster of this level can read. Every value is
 * checked against its schema. @throws KafkaError UNSUPPORTED_VERSION for what the level does not have
 */
export function encodeRecords(records: readonly MetadataRecord[], level: number): Uint8Array {
  return packArrays(records.map((record) => encodeRow(record, level)));
}

function encodeRow(record: MetadataRecord, level: number): unknown {
  const codec = CODEC_OF_TYPE.get(record.type);
  if (!codec) throw new ProtocolError(`unknown metadata record ${JSON.stringify(record)}`);
  const { id, since, fields } = codec;
  if (since > level)
    throw new KafkaError(
      'UNSUPPORTED_VERSION',
      `catalogue level ${level} has no ${record.type}; it takes ${since}`,
    );
  return [id, fields.encode(record, [], level)];
}

/** The records of one Raft entry; an empty payload (the no-op of an epoch) has none. Throws `ProtocolError`. */
export function decodeRecords(payload: Uint8Array): MetadataRecord[] {
  if (payload.length === 0) return [];
  const rows = readMsgpack(payload);
  if (!Array.isArray(rows)) throw new ProtocolError('a metadata entry is not a list of records');
  return rows.map(decodeRow);
}

/** The level that these records raise the cluster to, if they do. */
export function catalogueLevelIn(records: readonly MetadataRecord[]): number | undefined {
  return records.find((record) => record.type === 'CatalogueLevel')?.level;
}

function decodeRow(row: unknown): MetadataRecord {
  if (!Array.isArray(row)) throw new ProtocolError('a metadata record is not an array');
  // A record that this release does not know cannot be skipped: its image would differ from everybody else's.
  const codec = CODEC_OF_ID.get(row[0]);
  if (!codec) throw new ProtocolError(`unknown metadata record type ${String(row[0])}`);
  return { type: codec.type, ...codec.fields.decode(row[1], new PartsReader([])) } as MetadataRecord;
}
