/** The brokers' answers in an administrator's terms: names instead of numbers, undefined instead of -1. */

import type { ConsumerGroupDescribeResponse } from '../protocol/messages/consumer-group-describe.ts';
import type { DescribeClusterResponse } from '../protocol/messages/describe-cluster.ts';
import type { DescribeConfigsResponse } from '../protocol/messages/describe-configs.ts';
import type { MetadataResponse } from '../protocol/messages/metadata.ts';
import type {
  ClusterDescription,
  ConfigDescription,
  GroupDescription,
  TopicDescription,
  TopicListing,
} from './admin-types.ts';
import type { TopicPartition } from './consumer-options.ts';

type WireTopic = MetadataResponse['topics'][number];
type WireGroup = ConsumerGroupDescribeResponse['groups'][number];
type WireConfig = DescribeConfigsResponse['results'][number]['configs'][number];

const CONFIG_SOURCES: Readonly<Record<number, ConfigDescription['source']>> = {
  1: 'topic',
  2: 'dynamic-broker',
  3: 'dynamic-default',
  4: 'static-broker',
  5: 'default',
};

export function topicListing({ name, topicId, partitions, isInternal }: WireTopic): TopicListing {
  return {
    name: name ?? '',
    topicId,
    isInternal,
    partitionCount: partitions.length,
    replicationFactor: partitions[0]?.replicaNodes.length ?? 0,
  };
}

export function topicDescription(
  name: string,
  { topicId, isInternal, partitions }: WireTopic,
): TopicDescription {
  const described = partitions.map((wire) => ({
    partition: wire.partitionIndex,
    leader: wire.leaderId < 0 ? undefined : wire.leaderId,
    leaderEpoch: wire.leaderEpoch,
    replicas: wire.replicaNodes,
    isr: wire.isrNodes,
    offlineReplicas: wire.offlineReplicas,
    eligibleLeaderReplicas: wire.eligibleLeaderReplicas,
  }));
  described.sort((a, b) => a.partition - b.partition);
  return { name, topicId, isInternal, partitions: described };
}

export function configDescription(wire: WireConfig): ConfigDescription {
  const { name, value, configSource, readOnly, isSensitive, documentation } = wire;
  const source = CONFIG_SOURCES[configSource] ?? 'unknown';
  return { name, value, source, readOnly, isSensitive, documentation };
}

export function clusterDescription(wire: DescribeClusterResponse): ClusterDescription {
  return {
    clusterId: wire.clusterId,
    controllerId: wire.controllerId < 0 ? undefined : wire.controllerId,
    brokers: wire.brokers.map(({ brokerId, host, port, rack, isFenced }) => ({
      id: brokerId,
      host,
      port,
      rack,
      isFenced,
    })),
  };
}

export function groupDescription(group: WireGroup): GroupDescription {
  return {
    groupId: group.groupId,
    state: group.groupState,
    groupEpoch: group.groupEpoch,
    assignmentEpoch: group.assignmentEpoch,
    assignor: group.assignorName,
    members: group.members.map((member) => ({
      memberId: member.memberId,
      instanceId: member.instanceId,
      clientId: member.clientId,
      clientHost: member.clientHost,
      memberEpoch: member.memberEpoch,
      topics: member.subscribedTopicNames,
      assignment: partitionsOf(member.assignment),
      targetAssignment: partitionsOf(member.targetAssignment),
    })),
  };
}

function partitionsOf(
  topics: readonly { readonly topicName: string; readonly partitions: readonly number[] }[],
): TopicPartition[] {
  return topics.flatMap(({ topicName, partitions }) =>
    partitions.map((partition) => ({ topic: topicName, partition })),
  );
}
