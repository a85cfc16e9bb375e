import { deltaOf } from '../metadata/delta.ts';
import { type MetadataImage, minIsrOf, type TopicImage } from '../metadata/image.ts';
import type { AssignmentDelta, PartitionAssignment, PartitionId } from '../replication/types.ts';

/**
 * What one change of the metadata means for the replicas of one broker. A partition that moved away is still
 * reported, so that its replica stops; only a removed topic removes logs.
 */
export function assignmentDelta(
  before: MetadataImage,
  after: MetadataImage,
  brokerId: number,
): AssignmentDelta {
  const { topicsChanged, topicsRemoved } = deltaOf(before, after);
  return {
    changed: topicsChanged.flatMap((topic) =>
      changedPartitions(before.topics.get(topic.id), topic, brokerId),
    ),
    removed: topicsRemoved.flatMap((topic) => replicasOn(topic, brokerId)),
  };
}

function changedPartitions(
  before: TopicImage | undefined,
  topic: TopicImage,
  brokerId: number,
): PartitionAssignment[] {
  return topic.partitions
    .filter((partition, index) => {
      const old = before?.partitions[index];
      const isOrWasReplica = partition.replicas.includes(brokerId) || old?.replicas.includes(brokerId);
      return isOrWasReplica && (old !== partition || before?.config !== topic.config);
    })
    .map((partition) => ({
      ...partition,
      topicName: topic.name,
      minInSyncReplicas: minIsrOf(topic, partition),
      logConfig: topic.config,
    }));
}

function replicasOn(topic: TopicImage, brokerId: number): PartitionId[] {
  return topic.partitions
    .filter((partition) => partition.replicas.includes(brokerId))
    .map((partition) => ({ topicId: topic.id, partition: partition.partition }));
}
