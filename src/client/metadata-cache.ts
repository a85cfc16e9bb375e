/**
 * What the client knows of the cluster: brokers, and the topics that somebody asked about. Pure; `cluster.ts` feeds it.
 *
 * Leader epochs never go back for one topic id: a broker that lags behind may still name a deposed leader, and a
 * producer that turned back to one could be told, wrongly, that its records were never written.
 */

import { ERROR_CODE } from '../protocol/errors.ts';
import type { MetadataResponse } from '../protocol/messages/metadata.ts';

export interface BrokerAddress {
  readonly id: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}

export interface PartitionMetadata {
  readonly partition: number;
  /** Undefined while an election is under way. */
  readonly leaderId: number | undefined;
  readonly leaderEpoch: number;
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly offlineReplicas: readonly number[];
  readonly eligibleLeaderReplicas: readonly number[];
}

export interface TopicMetadata {
  readonly name: string;
  readonly topicId: string;
  readonly isInternal: boolean;
  /** Dense: index is partition number. */
  readonly partitions: readonly PartitionMetadata[];
}

/** A partition that is led by another broker than before. */
export interface LeaderMove {
  readonly topic: string;
  readonly partition: number;
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly leaderEpoch: number;
}

type WireTopic = MetadataResponse['topics'][number];

export class MetadataCache {
  #brokers = new Map<number, BrokerAddress>();
  readonly #topics = new Map<string, TopicMetadata>();
  /** Why a topic that was asked for has no metadata; its old metadata stays in `#topics` for the epochs' sake. */
  readonly #errors = new Map<string, number>();
  readonly #namesById = new Map<string, string>();
  #moves: LeaderMove[] = [];

  get brokers(): readonly BrokerAddress[] {
    return [...this.#brokers.values()];
  }

  broker(id: number): BrokerAddress | undefined {
    return this.#brokers.get(id);
  }

  topic(name: string): TopicMetadata | undefined {
    return this.#errors.has(name) ? undefined : this.#topics.get(name);
  }

  topicById(topicId: string): TopicMetadata | undefined {
    const name = this.#namesById.get(topicId);
    return name === undefined ? undefined : this.topic(name);
  }

  /** The error code that the last answer about a topic carried; 0 when it was fine or nobody asked. */
  topicError(name: string): number {
    return this.#errors.get(name) ?? ERROR_CODE.NONE;
  }

  /** The leaders that moved since the last call. */
  takeMoves(): readonly LeaderMove[] {
    const moves = this.#moves;
    this.#moves = [];
    return moves;
  }

  partition(topic: string, partition: number): PartitionMetadata | undefined {
    return this.topic(topic)?.partitions[partition];
  }

  apply(response: MetadataResponse): void {
    this.#brokers = new Map(
      response.brokers.map(({ nodeId, host, port, rack }) => [nodeId, { id: nodeId, host, port, rack }]),
    );
    for (const topic of response.topics) this.#applyTopic(topic);
  }

  /** A broker named the new leader in its refusal (KIP-951). True when that was news. */
  applyLeaderHint(topicId: string, partition: number, leaderId: number, leaderEpoch: number): boolean {
    const topic = this.topicById(topicId);
    const known = topic?.partitions[partition];
    if (topic === undefined || known === undefined || leaderId < 0 || leaderEpoch <= known.leaderEpoch)
      return false;
    if (!this.#brokers.has(leaderId)) return false;
    const partitions = topic.partitions.slice();
    partitions[partition] = { ...known, leaderId, leaderEpoch };
    this.#noteMove(topic.name, known, { ...known, leaderId, leaderEpoch });
    this.#topics.set(topic.name, { ...topic, partitions });
    return true;
  }

  /** The broker behind a coordinator or leader that no metadata has named yet. */
  addBroker(address: BrokerAddress): void {
    this.#brokers.set(address.id, address);
  }

  #applyTopic(wire: WireTopic): void {
    if (wire.name === null) return;
    if (wire.errorCode !== ERROR_CODE.NONE) {
      this.#errors.set(wire.name, wire.errorCode);
      return;
    }
    this.#errors.delete(wire.name);
    const old = this.#topics.get(wire.name);
    if (old !== undefined && old.topicId !== wire.topicId) this.#namesById.delete(old.topicId);
    const before = old?.topicId === wire.topicId ? old : undefined;
    const partitions: PartitionMetadata[] = [];
    for (const partition of [...wire.partitions].sort((a, b) => a.partitionIndex - b.partitionIndex)) {
      const known = before?.partitions[partition.partitionIndex];
      const isOld = known !== undefined && known.leaderEpoch > partition.leaderEpoch;
      const current = isOld ? known : partitionOf(partition);
      if (known !== undefined) this.#noteMove(wire.name, known, current);
      partitions.push(current);
    }
    this.#namesById.set(wire.topicId, wire.name);
    this.#topics.set(wire.name, {
      name: wire.name,
      topicId: wire.topicId,
      isInternal: wire.isInternal,
      partitions,
    });
  }

  #noteMove(topic: string, before: PartitionMetadata, now: PartitionMetadata): void {
    if (before.leaderId === now.leaderId) return;
    const { partition, leaderEpoch } = now;
    this.#moves.push({ topic, partition, from: before.leaderId, to: now.leaderId, leaderEpoch });
  }
}

function partitionOf(wire: WireTopic['partitions'][number]): PartitionMetadata {
  return {
    partition: wire.partitionIndex,
    leaderId: wire.leaderId < 0 ? undefined : wire.leaderId,
    leaderEpoch: wire.leaderEpoch,
    replicas: wire.replicaNodes,
    isr: wire.isrNodes,
    offlineReplicas: wire.offlineReplicas,
    eligibleLeaderReplicas: wire.eligibleLeaderReplicas,
  };
}
