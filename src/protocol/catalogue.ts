/** Every API of the protocol, by key. One file each in `messages/`. */

import { AddRaftVoter } from './messages/add-raft-voter.ts';
import { AllocateProducerIds } from './messages/allocate-producer-ids.ts';
import { AlterPartition } from './messages/alter-partition.ts';
import { ApiVersions } from './messages/api-versions.ts';
import { AppendEntries } from './messages/append-entries.ts';
import { BrokerHeartbeat } from './messages/broker-heartbeat.ts';
import { BrokerRegistration } from './messages/broker-registration.ts';
import { ConsumerGroupDescribe } from './messages/consumer-group-describe.ts';
import { ConsumerGroupHeartbeat } from './messages/consumer-group-heartbeat.ts';
import { CreatePartitions } from './messages/create-partitions.ts';
import { CreateTopics } from './messages/create-topics.ts';
import { DeleteGroups } from './messages/delete-groups.ts';
import { DeleteTopics } from './messages/delete-topics.ts';
import { DescribeCluster } from './messages/describe-cluster.ts';
import { DescribeConfigs } from './messages/describe-configs.ts';
import { DescribeLogDirs } from './messages/describe-log-dirs.ts';
import { DescribeQuorum } from './messages/describe-quorum.ts';
import { ElectLeaders } from './messages/elect-leaders.ts';
import { EndQuorumEpoch } from './messages/end-quorum-epoch.ts';
import { Fetch } from './messages/fetch.ts';
import { FindCoordinator } from './messages/find-coordinator.ts';
import { IncrementalAlterConfigs } from './messages/incremental-alter-configs.ts';
import { InitProducerId } from './messages/init-producer-id.ts';
import { InstallSnapshot } from './messages/install-snapshot.ts';
import { ListGroups } from './messages/list-groups.ts';
import { ListOffsets } from './messages/list-offsets.ts';
import { Metadata } from './messages/metadata.ts';
import { OffsetCommit } from './messages/offset-commit.ts';
import { OffsetFetch } from './messages/offset-fetch.ts';
import { OffsetForLeaderEpoch } from './messages/offset-for-leader-epoch.ts';
import { Produce } from './messages/produce.ts';
import { QuorumHello } from './messages/quorum-hello.ts';
import { RemoveRaftVoter } from './messages/remove-raft-voter.ts';
import { Vote } from './messages/vote.ts';
import type { AnyApi } from './schema.ts';

const apis: readonly AnyApi[] = [
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  FindCoordinator,
  ListGroups,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  InitProducerId,
  OffsetForLeaderEpoch,
  DescribeConfigs,
  DescribeLogDirs,
  CreatePartitions,
  DeleteGroups,
  ElectLeaders,
  IncrementalAlterConfigs,
  Vote,
  EndQuorumEpoch,
  DescribeQuorum,
  AlterPartition,
  DescribeCluster,
  BrokerRegistration,
  BrokerHeartbeat,
  AllocateProducerIds,
  ConsumerGroupHeartbeat,
  ConsumerGroupDescribe,
  AddRaftVoter,
  RemoveRaftVoter,
  AppendEntries,
  InstallSnapshot,
  QuorumHello,
];
export const catalogue: ReadonlyMap<number, AnyApi> = new Map(apis.map((api) => [api.key, api]));
