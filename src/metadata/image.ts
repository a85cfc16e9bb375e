/**
 * The metadata layer: records (`records.ts`), the image that they fold into (this file), its snapshots
 * (`snapshot.ts`) and the table of topic configs (`topic-config.ts`). Pure data; may import `protocol/` alone. Begin
 * here: an image is an immutable value, and applying an entry makes the next one, sharing all that did not change.
 *
 * The maps hash their keys, so their order means nothing: sort ids wherever order matters.
 */

import { Map as ImmutableMap } from 'immutable';
import { OLDEST_CATALOGUE_VERSION } from '../protocol/catalogue-version.ts';
import { applyGroupRecord, type GroupImage, withoutTopicOffsets } from './group-image.ts';
import type { MetadataRecord, RecordOf } from './records.ts';
import { type TopicConfig, topicConfigOf } from './topic-config.ts';

/** No leader. */
export const NO_LEADER = -1;

/** A registered broker. */
export interface BrokerImage {
  readonly id: number;
  /** The index of the entry that registered this incarnation. */
  readonly epoch: number;
  readonly incarnationId: string;
  readonly directoryId: string;
  readonly listeners: readonly { readonly name: string; readonly host: string; readonly port: number }[];
  readonly rack: string | null;
  readonly cleanShutdown: boolean;
  /** A fenced broker leads nothing and is in no ISR (but as its last member). */
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  /** The replicas whose copy there is damaged, as the broker tells (compare KIP-858). Mostly none. */
  readonly offlineReplicas: readonly { readonly topicId: string; readonly partition: number }[];
}

export interface PartitionImage {
  readonly topicId: string;
  readonly partition: number;
  /** The first one is the preferred leader. */
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  /** Replicas outside the ISR that still hold everything acknowledged (KIP-966). */
  readonly elr: readonly number[];
  /** `NO_LEADER` when there is none. */
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
}

export interface TopicImage {
  readonly id: string;
  readonly name: string;
  /** Dense: index i is partition i. */
  readonly partitions: readonly PartitionImage[];
  /** What the topic sets itself. */
  readonly configs: ImmutableMap<string, string>;
  /** The same with defaults filled in, typed. */
  readonly config: TopicConfig;
}

/** `min.insync.replicas` as it counts: a partition cannot have more in-sync replicas than replicas. */
export function minIsrOf(topic: TopicImage, partition: PartitionImage): number {
  return Math.min(topic.config.minInsyncReplicas, partition.replicas.length);
}

interface ImageFields {
  readonly index: number;
  readonly brokers: ImmutableMap<number, BrokerImage>;
  readonly topics: ImmutableMap<string, TopicImage>;
  readonly topicIds: ImmutableMap<string, string>;
  readonly groups: ImmutableMap<string, GroupImage>;
  readonly nextProducerId: number;
  readonly catalogueLevel: number;
}

/** The state of the cluster after the entry `index`. */
export class MetadataImage {
  /** The last entry that this image contains; 0 when none. */
  readonly index: number;
  readonly brokers: ImmutableMap<number, BrokerImage>;
  /** By topic id. */
  readonly topics: ImmutableMap<string, TopicImage>;
  /** Topic ids by name. */
  readonly topicIds: ImmutableMap<string, string>;
  readonly groups: ImmutableMap<string, GroupImage>;
  readonly nextProducerId: number;
  /** The version of the catalogue that every node can read; it never goes back. */
  readonly catalogueLevel: number;

  constructor(fields: ImageFields) {
    this.index = fields.index;
    this.brokers = fields.brokers;
    this.topics = fields.topics;
    this.topicIds = fields.topicIds;
    this.groups = fields.groups;
    this.nextProducerId = fields.nextProducerId;
    this.catalogueLevel = fields.catalogueLevel;
  }

  static readonly EMPTY = new MetadataImage({
    index: 0,
    brokers: ImmutableMap(),
    topics: ImmutableMap(),
    topicIds: ImmutableMap(),
    groups: ImmutableMap(),
    nextProducerId: 0,
    catalogueLevel: OLDEST_CATALOGUE_VERSION,
  });

  topicByName(name: string): TopicImage | undefined {
    const id = this.topicIds.get(name);
    return id === undefined ? undefined : this.topics.get(id);
  }

  /** Whether a broker serves its copy of a partition: it is alive, and the copy is not damaged. */
  serves(brokerId: number, partition: PartitionImage): boolean {
    return this.brokers.get(brokerId)?.fenced === false && !this.isDamaged(brokerId, partition);
  }

  /** Whether a broker told that its copy of a partition is damaged. */
  isDamaged(brokerId: number, { topicId, partition }: PartitionImage): boolean {
    const replicas = this.brokers.get(brokerId)?.offlineReplicas ?? [];
    return replicas.some((it) => it.topicId === topicId && it.partition === partition);
  }

  partition(topicId: string, partition: number): PartitionImage | undefined {
    return this.topics.get(topicId)?.partitions[partition];
  }

  /** The same state, said to be that of another index. */
  at(index: number): MetadataImage {
    return index === this.index ? this : new MetadataImage({ ...this, index });
  }

  /** Brokers by ascending id. */
  sortedBrokers(): BrokerImage[] {
    return [...this.brokers.values()].sort((a, b) => a.id - b.id);
  }

  /** Topics by name. */
  sortedTopics(): TopicImage[] {
    return [...this.topics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** The image after one more entry. A record that does not fit means a diverged log: it throws. */
  apply(records: readonly MetadataRecord[], index: number): MetadataImage {
    if (index <= this.index)
      throw new Error(`metadata entry ${index} applied to an image that is at ${this.index}`);
    const next = new ImageBuilder(this);
    for (const record of records) next.apply(record, index);
    return next.build(index);
  }
}

/** Collects the changes of one entry; partition arrays are copied once per entry, not once per record. */
class ImageBuilder {
  #brokers: ImmutableMap<number, BrokerImage>;
  #topics: ImmutableMap<string, TopicImage>;
  #topicIds: ImmutableMap<string, string>;
  #groups: ImmutableMap<string, GroupImage>;
  #nextProducerId: number;
  #catalogueLevel: number;
  readonly #ownPartitions = new Map<string, PartitionImage[]>();

  constructor(before: MetadataImage) {
    this.#brokers = before.brokers;
    this.#topics = before.topics;
    this.#topicIds = before.topicIds;
    this.#groups = before.groups;
    this.#nextProducerId = before.nextProducerId;
    this.#catalogueLevel = before.catalogueLevel;
  }

  build(index: number): MetadataImage {
    return new MetadataImage({
      index,
      brokers: this.#brokers,
      topics: this.#topics,
      topicIds: this.#topicIds,
      groups: this.#groups,
      nextProducerId: this.#nextProducerId,
      catalogueLevel: this.#catalogueLevel,
    });
  }

  apply(record: MetadataRecord, index: number): void {
    switch (record.type) {
      case 'RegisterBroker':
        this.#registerBroker(record, index);
        break;
      case 'BrokerChange':
        this.#changeBroker(record);
        break;
      case 'OfflineReplicas':
        this.#putBroker({ ...this.#brokerOf(record), offlineReplicas: record.replicas });
        break;
      case 'Topic':
        this.#addTopic(record);
        break;
      case 'RemoveTopic':
        this.#removeTopic(record);
        break;
      case 'Partition':
        this.#putPartition(record);
        break;
      case 'Config':
        this.#putConfig(record);
        break;
      case 'ProducerIds':
        this.#nextProducerId = record.nextProducerId;
        break;
      case 'CatalogueLevel':
        if (record.level < this.#catalogueLevel) throw unfit(record, this.#catalogueLevel);
        this.#catalogueLevel = record.level;
        break;
      case 'SnapshotHeader':
        break;
      default:
        this.#groups = applyGroupRecord(this.#groups, record);
    }
  }

  #registerBroker(record: RecordOf<'RegisterBroker'>, index: number): void {
    this.#brokers = this.#brokers.set(record.brokerId, {
      id: record.brokerId,
      epoch: record.brokerEpoch === -1 ? index : record.brokerEpoch,
      incarnationId: record.incarnationId,
      directoryId: record.directoryId,
      listeners: record.listeners,
      rack: record.rack,
      cleanShutdown: record.cleanShutdown,
      fenced: true,
      inControlledShutdown: false,
      offlineReplicas: [],
    });
  }

  #changeBroker(record: RecordOf<'BrokerChange'>): void {
    const { fenced, inControlledShutdown } = record;
    this.#putBroker({ ...this.#brokerOf(record), fenced, inControlledShutdown });
  }

  #brokerOf(record: RecordOf<'BrokerChange' | 'OfflineReplicas'>): BrokerImage {
    const broker = this.#brokers.get(record.brokerId);
    if (broker?.epoch !== record.brokerEpoch) throw unfit(record, broker);
    return broker;
  }

  #putBroker(broker: BrokerImage): void {
    this.#brokers = this.#brokers.set(broker.id, broker);
  }

  #addTopic(record: RecordOf<'Topic'>): void {
    if (this.#topicIds.has(record.name) || this.#topics.has(record.topicId)) throw unfit(record, undefined);
    const configs = ImmutableMap<string, string>();
    this.#topicIds = this.#topicIds.set(record.name, record.topicId);
    this.#topics = this.#topics.set(record.topicId, {
      id: record.topicId,
      name: record.name,
      partitions: [],
      configs,
      config: topicConfigOf(configs),
    });
  }

  #removeTopic(record: RecordOf<'RemoveTopic'>): void {
    const topic = this.#topics.get(record.topicId);
    if (!topic) throw unfit(record, undefined);
    this.#topics = this.#topics.delete(topic.id);
    this.#topicIds = this.#topicIds.delete(topic.name);
    this.#ownPartitions.delete(topic.id);
    this.#groups = withoutTopicOffsets(this.#groups, topic.id);
  }

  #putPartition(record: RecordOf<'Partition'>): void {
    const topic = this.#topics.get(record.topicId);
    if (!topic || record.partition > topic.partitions.length) throw unfit(record, topic);
    const { type: _, ...partition } = record;
    let own = this.#ownPartitions.get(topic.id);
    if (!own) {
      own = topic.partitions.slice();
      this.#ownPartitions.set(topic.id, own);
      this.#topics = this.#topics.set(topic.id, { ...topic, partitions: own });
    }
    own[record.partition] = partition;
  }

  #putConfig(record: RecordOf<'Config'>): void {
    const topic = this.#topics.get(record.topicId);
    if (!topic) throw unfit(record, undefined);
    const configs =
      record.value === null
        ? topic.configs.delete(record.name)
        : topic.configs.set(record.name, record.value);
    this.#topics = this.#topics.set(topic.id, { ...topic, configs, config: topicConfigOf(configs) });
  }
}

function unfit(record: MetadataRecord, target: unknown): Error {
  return new Error(
    `a metadata record does not fit the image: ${JSON.stringify(record)}, found ${JSON.stringify(target)}`,
  );
}
