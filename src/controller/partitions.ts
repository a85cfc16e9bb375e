/** Changes over many partitions at once: after a broker was fenced, unfenced, is stopping, or lost its data. */

import {
  type BrokerImage,
  type MetadataImage,
  minIsrOf,
  NO_LEADER,
  type PartitionImage,
  type TopicImage,
} from '../metadata/image.ts';
import type { RecordOf } from '../metadata/records.ts';
import type { Draft } from './draft.ts';
import { changePartition, type PartitionGoal } from './partition-change.ts';

/** Unfenced and not stopping: fit to lead and to be placed on. */
export function isActive(image: MetadataImage, brokerId: number): boolean {
  const broker = image.brokers.get(brokerId);
  return broker !== undefined && !broker.fenced && !broker.inControlledShutdown;
}

/** The goal that keeps what is alive of the ISR, electing a leader only if there is none that may stay. */
export function goalOf(image: MetadataImage, topic: TopicImage, partition: PartitionImage): PartitionGoal {
  return {
    isr: partition.isr.filter((id) => image.serves(id, partition)),
    isDamaged: (id) => image.isDamaged(id, partition),
    minIsr: minIsrOf(topic, partition),
    canLead: (id) => isActive(image, id) && image.serves(id, partition),
    mayStay: (id) => image.serves(id, partition),
    unclean: topic.config.uncleanLeaderElection,
  };
}

/** Which copies of a broker are lost: none, those that it had not synced, or (an empty disk) all. */
export type Loss = 'none' | 'unsynced' | 'all';

/** Takes brokers that are fenced in the draft out of every ISR and elects others in their place. */
function leaveFenced(draft: Draft, brokerIds: readonly number[]): void {
  changeAll(draft, (topic, partition) =>
    brokerIds.some((id) => partition.isr.includes(id))
      ? changePartition(partition, goalOf(draft.image, topic, partition))
      : undefined,
  );
}

/** The same for a broker that is back as a new incarnation, perhaps without all that it once acknowledged. */
export function leaveRestarted(draft: Draft, brokerId: number, loss: Loss): void {
  changeAll(draft, (topic, partition) => {
    if (!partition.isr.includes(brokerId) && !partition.elr.includes(brokerId)) return undefined;
    const goal = goalOf(draft.image, topic, partition);
    const lost = isLost(topic, partition, loss);
    return changePartition(partition, lost ? { ...goal, lost: brokerId } : goal);
  });
}

/** With `flush=os`, what a sole replica has left is all there is: nothing better can come (Kafka's own trade). */
function isLost(topic: TopicImage, partition: PartitionImage, loss: Loss): boolean {
  if (loss === 'unsynced') return topic.config.flush === 'os' && partition.replicas.length > 1;
  return loss === 'all';
}

/**
 * Moves leaders away from a stopping broker, and the broker out of every ISR. Where nobody else can lead it goes on
 * leading until it is fenced.
 */
export function leaveForShutdown(draft: Draft, brokerId: number): number {
  return changeAll(draft, (topic, partition) => {
    if (!partition.isr.includes(brokerId)) return undefined;
    const record = changePartition(partition, {
      ...goalOf(draft.image, topic, partition),
      isr: partition.isr.filter((id) => id !== brokerId),
      mayStay: (id) => id !== brokerId && draft.image.serves(id, partition),
      unclean: false,
    });
    return record?.leader === NO_LEADER ? undefined : record;
  });
}

/** Others lead in the place of copies of a broker that are damaged; and where nobody could, those that are mended. */
export function leaveDamaged(draft: Draft, brokerId: number): void {
  changeAll(draft, (topic, partition) => {
    const { isr, elr, leader } = partition;
    if (leader !== NO_LEADER && !isr.includes(brokerId) && !elr.includes(brokerId)) return undefined;
    return changePartition(partition, goalOf(draft.image, topic, partition));
  });
}

/** Elects leaders for partitions that have none, now that more may lead. */
export function electMissingLeaders(draft: Draft): void {
  changeAll(draft, (topic, partition) =>
    partition.leader === NO_LEADER
      ? changePartition(partition, goalOf(draft.image, topic, partition))
      : undefined,
  );
}

/** Re-reads ELR and leader of one topic after its configs changed: in the same entry, so nobody acts on the old. */
export function applyTopicConfig(draft: Draft, topicId: string): void {
  const topic = draft.image.topics.get(topicId);
  if (!topic) return;
  const records = topic.partitions.map((partition) =>
    changePartition(partition, goalOf(draft.image, topic, partition)),
  );
  draft.pushAll(records.filter((record) => record !== undefined));
}

/** Partitions that the broker leads. */
export function countLed(image: MetadataImage, brokerId: number): number {
  let led = 0;
  for (const topic of image.topics.values())
    for (const partition of topic.partitions) if (partition.leader === brokerId) led++;
  return led;
}

/** Pushes what `change` says for each partition, in the order of names; returns how many changed. */
export function changeAll(
  draft: Draft,
  change: (topic: TopicImage, partition: PartitionImage) => RecordOf<'Partition'> | undefined,
  countMax = Number.POSITIVE_INFINITY,
): number {
  const records: RecordOf<'Partition'>[] = [];
  for (const topic of draft.image.sortedTopics()) {
    for (const partition of topic.partitions) {
      if (records.length >= countMax) break;
      const record = change(topic, partition);
      if (record) records.push(record);
    }
  }
  draft.pushAll(records);
  return records.length;
}

/**
 * Fences brokers and elects others in their place. All at once, so that none of them is elected for a moment, and so
 * that all stay trusted where nobody else is left.
 */
export function fence(draft: Draft, brokers: readonly BrokerImage[], reason: string): void {
  for (const { id: brokerId, epoch: brokerEpoch, inControlledShutdown } of brokers) {
    draft.push({ type: 'BrokerChange', brokerId, brokerEpoch, fenced: true, inControlledShutdown });
    draft.note({ brokerId, brokerEpoch, reason }, 'Fenced a broker');
  }
  const brokerIds = brokers.map((broker) => broker.id);
  leaveFenced(draft, brokerIds);
}
