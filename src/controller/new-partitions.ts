/** New partitions, of new topics and of old ones: placed by the controller, or by hand and checked. */

import { type MetadataImage, NO_LEADER } from '../metadata/image.ts';
import type { RecordOf } from '../metadata/records.ts';
import { KafkaError } from '../protocol/errors.ts';
import { isActive } from './partitions.ts';
import { clusterLoadOf, place } from './placement.ts';

export interface NewPartitions {
  readonly count: number;
  readonly replicationFactor: number;
  /** Replicas of the partitions that the topic has. */
  readonly topicSoFar: readonly (readonly number[])[];
  /** In [0, 1). */
  readonly start: number;
}

/** Lets the controller choose. Only brokers that are alive and stay are chosen. */
export function placeReplicas(image: MetadataImage, wanted: NewPartitions): number[][] {
  const sites = image.sortedBrokers().filter((broker) => isActive(image, broker.id));
  if (wanted.replicationFactor > sites.length)
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `replication factor ${wanted.replicationFactor} is larger than the number of available brokers, ` +
        `${sites.length} (${image.brokers.size} registered)`,
    );
  const clusterLoad = clusterLoadOf(image);
  return place({ ...wanted, sites, partitions: wanted.count, clusterLoad });
}

/** Checks replicas that somebody chose by hand for one partition. */
export function checkManualReplicas(
  image: MetadataImage,
  replicas: readonly number[],
  replicationFactor: number,
): void {
  const refuse = (problem: string) => new KafkaError('INVALID_REPLICA_ASSIGNMENT', problem);
  const named = `the manual assignment [${replicas.join(', ')}]`;
  if (replicas.length === 0) throw refuse('a manual assignment names no broker');
  if (new Set(replicas).size !== replicas.length) throw refuse(`${named} names a broker twice`);
  if (replicas.length !== replicationFactor)
    throw refuse(`${named} has ${replicas.length} replicas where other partitions have ${replicationFactor}`);
  const unknown = replicas.find((id) => !image.brokers.has(id));
  if (unknown !== undefined) throw refuse(`${named} names broker ${unknown}, which is not registered`);
  if (!replicas.some((id) => isActive(image, id)))
    throw refuse(`all brokers of ${named} are fenced or stopping`);
}

/** The first state of a partition: every replica that is alive is in sync, for there is nothing to miss yet. */
export function newPartitionRecord(
  image: MetadataImage,
  topicId: string,
  partition: number,
  replicas: readonly number[],
): RecordOf<'Partition'> {
  const isr = replicas.filter((id) => isActive(image, id));
  const leader = isr[0] ?? NO_LEADER;
  return {
    type: 'Partition',
    topicId,
    partition,
    replicas,
    isr,
    elr: [],
    leader,
    leaderEpoch: 0,
    partitionEpoch: 0,
  };
}
