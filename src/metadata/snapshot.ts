/**
 * Snapshots of the image: the records that make it from nothing, in chunks, each preceded by its length (u32). Ids
 * are sorted, so equal images have equal bytes on every node.
 */

import { OLDEST_CATALOGUE_VERSION } from '../protocol/catalogue-version.ts';
import { ProtocolError } from '../protocol/protocol-error.ts';
import type { GroupImage } from './group-image.ts';
import { type BrokerImage, MetadataImage, type TopicImage } from './image.ts';
import { catalogueLevelIn, decodeRecords, encodeRecords, type MetadataRecord } from './records.ts';

const SNAPSHOT_VERSION = 1;
const CHUNK_RECORDS_MAX = 512;
const COMMITS_PER_RECORD_MAX = 512;
const LENGTH_BYTES = 4;

/** The snapshot as a list of parts, to be written one after the other. */
export function encodeSnapshot(image: MetadataImage): Uint8Array[] {
  const level = recordsOfLevel(image.catalogueLevel);
  const records = recordsOf(image);
  const recordCount = level.length + records.length;
  const header: MetadataRecord = { type: 'SnapshotHeader', version: SNAPSHOT_VERSION, recordCount };
  // The level before anything that takes it.
  const parts = framed([header, ...level], image.catalogueLevel);
  for (let i = 0; i < records.length; i += CHUNK_RECORDS_MAX)
    parts.push(...framed(records.slice(i, i + CHUNK_RECORDS_MAX), image.catalogueLevel));
  return parts;
}

function framed(records: readonly MetadataRecord[], level: number): Uint8Array[] {
  const chunk = encodeRecords(records, level);
  const length = new Uint8Array(LENGTH_BYTES);
  new DataView(length.buffer).setUint32(0, chunk.length);
  return [length, chunk];
}

/** The image from all bytes of a snapshot that was taken at `index`. Throws `ProtocolError`. */
export function decodeSnapshot(bytes: Uint8Array, index: number): MetadataImage {
  const [header, ...records] = decodeSnapshotRecords(bytes);
  if (header?.type !== 'SnapshotHeader') throw new ProtocolError('the snapshot has no header');
  if (header.version !== SNAPSHOT_VERSION)
    throw new ProtocolError(`the snapshot has version ${header.version}, not ${SNAPSHOT_VERSION}`);
  if (header.recordCount !== records.length)
    throw new ProtocolError(`the snapshot has ${records.length} records, not ${header.recordCount}`);
  return imageFrom(records, index);
}

/** The records of a snapshot's bytes, its header first. Throws `ProtocolError`. */
export function decodeSnapshotRecords(bytes: Uint8Array): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  // No spread: a chunk is bounded, but the argument stack is smaller.
  for (const chunk of chunksOf(bytes)) for (const record of decodeRecords(chunk)) records.push(record);
  return records;
}

/** The catalogue level of a snapshot, whatever else it holds that this release may not know. Throws `ProtocolError`. */
export function snapshotLevel(bytes: Uint8Array): number {
  const [head = new Uint8Array(0)] = chunksOf(bytes);
  return catalogueLevelIn(decodeRecords(head)) ?? OLDEST_CATALOGUE_VERSION;
}

function* chunksOf(bytes: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let position = 0;
  while (position < bytes.length) {
    const start = position + LENGTH_BYTES;
    if (start > bytes.length) throw new ProtocolError('the snapshot is cut inside a length');
    position = start + view.getUint32(start - LENGTH_BYTES);
    if (position > bytes.length) throw new ProtocolError('the snapshot is cut inside a chunk');
    yield bytes.subarray(start, position);
  }
}

function imageFrom(records: readonly MetadataRecord[], index: number): MetadataImage {
  if (index === 0) return MetadataImage.EMPTY;
  return MetadataImage.EMPTY.apply(records, index);
}

function recordsOf(image: MetadataImage): MetadataRecord[] {
  return [
    ...image.sortedBrokers().flatMap(recordsOfBroker),
    ...image.sortedTopics().flatMap(recordsOfTopic),
    { type: 'ProducerIds', nextProducerId: image.nextProducerId },
    ...[...image.groups.values()].sort(byString((group) => group.id)).flatMap(recordsOfGroup),
  ];
}

/** The oldest level has no record for itself. */
function recordsOfLevel(level: number): MetadataRecord[] {
  return level > OLDEST_CATALOGUE_VERSION ? [{ type: 'CatalogueLevel', level }] : [];
}

function recordsOfBroker(broker: BrokerImage): MetadataRecord[] {
  const { id: brokerId, epoch: brokerEpoch, incarnationId, directoryId, rack, cleanShutdown } = broker;
  const { listeners, fenced, inControlledShutdown, offlineReplicas } = broker;
  const records: MetadataRecord[] = [
    {
      type: 'RegisterBroker',
      brokerId,
      incarnationId,
      directoryId,
      listeners,
      rack,
      cleanShutdown,
      brokerEpoch,
    },
    { type: 'BrokerChange', brokerId, brokerEpoch, fenced, inControlledShutdown },
  ];
  if (offlineReplicas.length > 0)
    records.push({ type: 'OfflineReplicas', brokerId, brokerEpoch, replicas: offlineReplicas });
  return records;
}

function recordsOfTopic(topic: TopicImage): MetadataRecord[] {
  const configs = [...topic.configs.entries()].sort(byString(([name]) => name));
  return [
    { type: 'Topic', name: topic.name, topicId: topic.id },
    ...topic.partitions.map((partition): MetadataRecord => ({ type: 'Partition', ...partition })),
    ...configs.map(([name, value]): MetadataRecord => ({ type: 'Config', topicId: topic.id, name, value })),
  ];
}

function recordsOfGroup(group: GroupImage): MetadataRecord[] {
  const { id: groupId, groupEpoch, assignmentEpoch, assignorName, emptySinceMs } = group;
  const members = [...group.members.values()].sort(byString((member) => member.memberId));
  const targets = [...group.targets.entries()].sort(byString(([memberId]) => memberId));
  const records: MetadataRecord[] = [
    { type: 'Group', groupId, groupEpoch, assignmentEpoch, assignorName, emptySinceMs },
    ...members.map((member): MetadataRecord => ({ type: 'GroupMember', groupId, ...member })),
    ...targets.map(
      ([memberId, partitions]): MetadataRecord => ({ type: 'GroupTarget', groupId, memberId, partitions }),
    ),
  ];
  const commits = commitsOf(group);
  for (let i = 0; i < commits.length; i += COMMITS_PER_RECORD_MAX)
    records.push({ type: 'GroupOffsets', groupId, commits: commits.slice(i, i + COMMITS_PER_RECORD_MAX) });
  return records;
}

function commitsOf(group: GroupImage) {
  return [...group.offsets.entries()]
    .sort(byString(([topicId]) => topicId))
    .flatMap(([topicId, ofTopic]) =>
      [...ofTopic.entries()]
        .sort(([a], [b]) => a - b)
        .map(([partition, committed]) => ({ topicId, partition, ...committed })),
    );
}

function byString<T>(key: (value: T) => string): (a: T, b: T) => number {
  return (a, b) => (key(a) < key(b) ? -1 : 1);
}
