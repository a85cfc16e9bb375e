/** Elections that somebody asks for (ElectLeaders), and the periodic return of leaders to the preferred replicas. */

import { type MetadataImage, NO_LEADER, type PartitionImage, type TopicImage } from '../metadata/image.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { ElectLeadersRequest, ElectLeadersResponse } from '../protocol/messages/elect-leaders.ts';
import { attempt } from './answers.ts';
import { type Decision, Draft } from './draft.ts';
import { changePartition, moveLeader } from './partition-change.ts';
import { changeAll, goalOf, isActive } from './partitions.ts';

type TopicAnswer = ElectLeadersResponse['replicaElectionResults'][number];

const PREFERRED = 0;
const UNCLEAN = 1;

export function electLeaders(
  image: MetadataImage,
  request: ElectLeadersRequest,
): Decision<ElectLeadersResponse> {
  const draft = new Draft(image);
  const { electionType, topicPartitions } = request;
  if (electionType !== PREFERRED && electionType !== UNCLEAN)
    throw new KafkaError(
      'INVALID_REQUEST',
      `election type ${electionType} is neither preferred (0) nor unclean (1)`,
    );
  const elect = electionType === PREFERRED ? electPreferred : electUnclean;
  const replicaElectionResults = topicPartitions
    ? topicPartitions.map(({ topic, partitions }) => ({
        topic,
        partitionResult: partitions.map((p) => ({
          partitionId: p,
          ...attempt(() => elect(draft, topic, p)),
        })),
      }))
    : electAll(draft, elect);
  return { draft, reply: () => ({ throttleTimeMs: 0, errorCode: 0, replicaElectionResults }) };
}

/** All partitions; those that need no election are left out of the answer, as Kafka does. */
function electAll(draft: Draft, elect: typeof electPreferred): TopicAnswer[] {
  const notNeeded = new KafkaError('ELECTION_NOT_NEEDED').errorCode;
  return draft.base
    .sortedTopics()
    .map(({ name, partitions }) => ({
      topic: name,
      partitionResult: partitions
        .map(({ partition }) => ({
          partitionId: partition,
          ...attempt(() => elect(draft, name, partition)),
        }))
        .filter((result) => result.errorCode !== notNeeded),
    }))
    .filter((answer) => answer.partitionResult.length > 0);
}

function electPreferred(draft: Draft, topicName: string, index: number): void {
  const { partition } = find(draft.image, topicName, index);
  const [preferred] = partition.replicas;
  if (preferred === undefined || partition.leader === preferred) throw new KafkaError('ELECTION_NOT_NEEDED');
  if (!canMoveTo(draft.image, partition, preferred))
    throw new KafkaError(
      'PREFERRED_LEADER_NOT_AVAILABLE',
      `the preferred leader, broker ${preferred}, is not alive and in sync`,
    );
  draft.push(moveLeader(partition, preferred));
}

function electUnclean(draft: Draft, topicName: string, index: number): void {
  const { topic, partition } = find(draft.image, topicName, index);
  if (partition.leader !== NO_LEADER) throw new KafkaError('ELECTION_NOT_NEEDED');
  const record = changePartition(partition, { ...goalOf(draft.image, topic, partition), unclean: true });
  if (!record || record.leader === NO_LEADER)
    throw new KafkaError('ELIGIBLE_LEADERS_NOT_AVAILABLE', 'no replica of the partition is alive');
  draft.push(record);
}

function find(
  image: MetadataImage,
  topicName: string,
  index: number,
): { topic: TopicImage; partition: PartitionImage } {
  const topic = image.topicByName(topicName);
  const partition = topic?.partitions[index];
  if (topic && partition) return { topic, partition };
  throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `there is no partition ${topicName}-${index}`);
}

function canMoveTo(image: MetadataImage, partition: PartitionImage, brokerId: number): boolean {
  return partition.isr.includes(brokerId) && isActive(image, brokerId) && image.serves(brokerId, partition);
}

/** Gives leaders back to the preferred replicas that are in sync again, so that load does not stay where it fled to. */
export function rebalanceLeaders(image: MetadataImage, partitionsMax: number): Draft {
  const draft = new Draft(image);
  changeAll(
    draft,
    (_, partition) => {
      const [preferred] = partition.replicas;
      if (preferred === undefined || partition.leader === preferred) return undefined;
      return canMoveTo(image, partition, preferred) ? moveLeader(partition, preferred) : undefined;
    },
    partitionsMax,
  );
  return draft;
}
