/** Which API is served by whom: the table from which the server registers, and so what `ApiVersions` tells. */

import { AddRaftVoter } from '../protocol/messages/add-raft-voter.ts';
import { AllocateProducerIds } from '../protocol/messages/allocate-producer-ids.ts';
import { AlterPartition } from '../protocol/messages/alter-partition.ts';
import { BrokerHeartbeat } from '../protocol/messages/broker-heartbeat.ts';
import { BrokerRegistration } from '../protocol/messages/broker-registration.ts';
import { ConsumerGroupDescribe } from '../protocol/messages/consumer-group-describe.ts';
import { ConsumerGroupHeartbeat } from '../protocol/messages/consumer-group-heartbeat.ts';
import { CreatePartitions } from '../protocol/messages/create-partitions.ts';
import { CreateTopics } from '../protocol/messages/create-topics.ts';
import { DeleteGroups } from '../protocol/messages/delete-groups.ts';
import { DeleteTopics } from '../protocol/messages/delete-topics.ts';
import { DescribeCluster } from '../protocol/messages/describe-cluster.ts';
import { DescribeConfigs } from '../protocol/messages/describe-configs.ts';
import { DescribeLogDirs } from '../protocol/messages/describe-log-dirs.ts';
import { DescribeQuorum } from '../protocol/messages/describe-quorum.ts';
import { ElectLeaders } from '../protocol/messages/elect-leaders.ts';
import { Fetch } from '../protocol/messages/fetch.ts';
import { FindCoordinator } from '../protocol/messages/find-coordinator.ts';
import { IncrementalAlterConfigs } from '../protocol/messages/incremental-alter-configs.ts';
import { InitProducerId } from '../protocol/messages/init-producer-id.ts';
import { ListGroups } from '../protocol/messages/list-groups.ts';
import { ListOffsets } from '../protocol/messages/list-offsets.ts';
import { Metadata } from '../protocol/messages/metadata.ts';
import { OffsetCommit } from '../protocol/messages/offset-commit.ts';
import { OffsetFetch } from '../protocol/messages/offset-fetch.ts';
import { OffsetForLeaderEpoch } from '../protocol/messages/offset-for-leader-epoch.ts';
import { Produce } from '../protocol/messages/produce.ts';
import { RemoveRaftVoter } from '../protocol/messages/remove-raft-voter.ts';
import type { AnyApi, Api, Complete } from '../protocol/schema.ts';
import { type BrokerContext, type Handler, isPeer, type RequestContext } from './context.ts';
import * as controllerApis from './controller-apis.ts';
import { describeCluster } from './describe-cluster.ts';
import { describeConfigs } from './describe-configs.ts';
import { describeLogDirs } from './describe-log-dirs.ts';
import { describeQuorum } from './describe-quorum.ts';
import { fetch } from './fetch.ts';
import { findCoordinator } from './find-coordinator.ts';
import * as groupApis from './group-apis.ts';
import { initProducerId } from './init-producer-id.ts';
import { listOffsets } from './list-offsets.ts';
import { metadata } from './metadata.ts';
import { offsetForLeaderEpoch } from './offset-for-leader-epoch.ts';
import { produce } from './produce.ts';

/** One served API; the transport's routes have this shape. */
export interface BrokerRoute {
  readonly api: AnyApi;
  readonly handler: (request: unknown, from: RequestContext) => unknown;
}

/** Every API that a broker serves, but for ApiVersions (the server's own) and those of the quorum. */
export function brokerRoutes(context: BrokerContext): BrokerRoute[] {
  const serve = <Request, Response>(
    api: Api<Request, Response>,
    handler: Handler<Complete<Request>, Response>,
    { isPassedOn = false } = {},
  ): BrokerRoute => ({
    api,
    handler: async (request, from) => {
      // Of what another node passed on, that node tells: it knows who asked.
      const refusals = isPassedOn && isPeer(from) ? undefined : context.refusals;
      try {
        const answer = await handler(context, request as Complete<Request>, from);
        refusals?.inAnswer(api.name, request, answer, from);
        return answer;
      } catch (error) {
        refusals?.thrown(api.name, request, error, from);
        throw error;
      }
    },
  });
  const passedOn = { isPassedOn: true };
  return [
    serve(Produce, produce),
    serve(Fetch, fetch),
    serve(ListOffsets, listOffsets),
    serve(OffsetForLeaderEpoch, offsetForLeaderEpoch),
    serve(InitProducerId, initProducerId()),

    serve(Metadata, metadata),
    serve(DescribeCluster, describeCluster),
    serve(DescribeConfigs, describeConfigs),
    serve(DescribeLogDirs, describeLogDirs),
    serve(DescribeQuorum, describeQuorum, passedOn),

    serve(FindCoordinator, findCoordinator),
    serve(ConsumerGroupHeartbeat, groupApis.consumerGroupHeartbeat),
    serve(OffsetCommit, groupApis.offsetCommit),
    serve(OffsetFetch, groupApis.offsetFetch),
    serve(ListGroups, groupApis.listGroups),
    serve(ConsumerGroupDescribe, groupApis.consumerGroupDescribe),
    serve(DeleteGroups, groupApis.deleteGroups),

    serve(CreateTopics, controllerApis.createTopics, passedOn),
    serve(DeleteTopics, controllerApis.deleteTopics, passedOn),
    serve(CreatePartitions, controllerApis.createPartitions, passedOn),
    serve(IncrementalAlterConfigs, controllerApis.incrementalAlterConfigs, passedOn),
    serve(ElectLeaders, controllerApis.electLeaders, passedOn),

    serve(AddRaftVoter, controllerApis.addRaftVoter, passedOn),
    serve(RemoveRaftVoter, controllerApis.removeRaftVoter, passedOn),

    serve(AlterPartition, controllerApis.alterPartition),
    serve(BrokerRegistration, controllerApis.brokerRegistration),
    serve(BrokerHeartbeat, controllerApis.brokerHeartbeat),
    serve(AllocateProducerIds, controllerApis.allocateProducerIds),
  ];
}
