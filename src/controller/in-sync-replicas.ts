/** AlterPartition: a leader changes the ISR of its partitions, by compare-and-set (KIP-497, KIP-841, KIP-903). */

import type { MetadataImage, PartitionImage } from '../metadata/image.ts';
import { ERROR_CODE, type ErrorName } from '../protocol/errors.ts';
import type { AlterPartitionRequest, AlterPartitionResponse } from '../protocol/messages/alter-partition.ts';
import { brokerOfEpoch } from './brokers.ts';
import { type Decision, Draft } from './draft.ts';
import { changePartition } from './partition-change.ts';
import { goalOf, isActive } from './partitions.ts';

type WantedPartition = AlterPartitionRequest['topics'][number]['partitions'][number];
type PartitionAnswer = AlterPartitionResponse['topics'][number]['partitions'][number];

export function alterPartition(
  image: MetadataImage,
  request: AlterPartitionRequest,
): Decision<AlterPartitionResponse> {
  brokerOfEpoch(image, request.brokerId, request.brokerEpoch);
  const draft = new Draft(image);
  const topics = request.topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map((wanted) => alterOne(draft, request.brokerId, topicId, wanted)),
  }));
  return { draft, reply: () => ({ throttleTimeMs: 0, errorCode: 0, topics }) };
}

function alterOne(draft: Draft, brokerId: number, topicId: string, wanted: WantedPartition): PartitionAnswer {
  const topic = draft.image.topics.get(topicId);
  const partition = topic?.partitions[wanted.partitionIndex];
  if (!topic) return refused(wanted, 'UNKNOWN_TOPIC_ID');
  if (!partition) return refused(wanted, 'UNKNOWN_TOPIC_OR_PARTITION');
  const problem = problemOf(draft.image, brokerId, partition, wanted);
  if (problem) return refused(wanted, problem);
  const isr = wanted.newIsrWithEpochs.map((member) => member.brokerId);
  const record = changePartition(partition, { ...goalOf(draft.image, topic, partition), isr });
  if (record) draft.push(record);
  return answered(draft.image.partition(topicId, wanted.partitionIndex) ?? partition);
}

function problemOf(
  image: MetadataImage,
  brokerId: number,
  current: PartitionImage,
  wanted: WantedPartition,
): ErrorName | undefined {
  // The leader knows more than this node: another controller is active.
  if (wanted.leaderEpoch > current.leaderEpoch) return 'NOT_CONTROLLER';
  if (wanted.partitionEpoch > current.partitionEpoch) return 'NOT_CONTROLLER';
  if (wanted.leaderEpoch < current.leaderEpoch) return 'FENCED_LEADER_EPOCH';
  if (brokerId !== current.leader) return 'INVALID_REQUEST';
  if (wanted.partitionEpoch < current.partitionEpoch) return 'INVALID_UPDATE_VERSION';
  const isr = wanted.newIsrWithEpochs.map((member) => member.brokerId);
  if (new Set(isr).size !== isr.length) return 'INVALID_REQUEST';
  if (!isr.includes(current.leader)) return 'INVALID_REQUEST';
  if (!isr.every((id) => current.replicas.includes(id))) return 'INVALID_REQUEST';
  const added = wanted.newIsrWithEpochs.filter((member) => !current.isr.includes(member.brokerId));
  if (!added.every((member) => isEligible(image, current, member))) return 'INELIGIBLE_REPLICA';
  return undefined;
}

/** A new member must be alive, not stopping (KIP-841), sound, and the incarnation whose fetches proved it (KIP-903). */
function isEligible(
  image: MetadataImage,
  partition: PartitionImage,
  member: WantedPartition['newIsrWithEpochs'][number],
): boolean {
  if (!isActive(image, member.brokerId) || image.isDamaged(member.brokerId, partition)) return false;
  return member.brokerEpoch === -1 || image.brokers.get(member.brokerId)?.epoch === member.brokerEpoch;
}

function answered(partition: PartitionImage): PartitionAnswer {
  const { partition: partitionIndex, leader: leaderId, leaderEpoch, isr, partitionEpoch } = partition;
  return { partitionIndex, errorCode: 0, leaderId, leaderEpoch, isr: isr.slice(), partitionEpoch };
}

function refused({ partitionIndex }: WantedPartition, error: ErrorName): PartitionAnswer {
  const errorCode = ERROR_CODE[error];
  return { partitionIndex, errorCode, leaderId: -1, leaderEpoch: -1, isr: [], partitionEpoch: -1 };
}
