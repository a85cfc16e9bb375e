/**
 * How each API of Kafka's protocol says that a request failed as a whole. WebSockets have one form for all (RpcFailure);
 * Kafka's responses have none in common, so the error goes wherever the response has room for one: in the response
 * itself, or in each of the parts that were asked for.
 */

import { CreateTopics } from './messages/create-topics.ts';
import { DeleteTopics } from './messages/delete-topics.ts';
import { DescribeCluster } from './messages/describe-cluster.ts';
import { DescribeConfigs } from './messages/describe-configs.ts';
import { Fetch } from './messages/fetch.ts';
import { FindCoordinator } from './messages/find-coordinator.ts';
import { InitProducerId } from './messages/init-producer-id.ts';
import { ListOffsets } from './messages/list-offsets.ts';
import { Metadata } from './messages/metadata.ts';
import { OffsetForLeaderEpoch } from './messages/offset-for-leader-epoch.ts';
import { Produce } from './messages/produce.ts';
import type { AnyApi, Api, Complete } from './schema.ts';
import { ZERO_UUID } from './uuid.ts';

export interface Refusal {
  /** The error code, Kafka's. */
  readonly code: number;
  /** For people. */
  readonly message: string;
}

type Refuse<Request, Response> = (request: Complete<Request>, refusal: Refusal) => Response | undefined;

const refusals = new Map<number, Refuse<unknown, unknown>>();

function refuse<Request, Response>(api: Api<Request, Response>, how: Refuse<Request, Response>): void {
  refusals.set(api.key, how as Refuse<unknown, unknown>);
}

/**
 * The response of `api` that says `refusal` to `request`; undefined where it has none, and the connection must be closed
 * instead.
 */
export function kafkaRefusal(api: AnyApi, request: unknown, refusal: Refusal): unknown {
  return refusals.get(api.key)?.(request as Complete<unknown>, refusal);
}

const NO_LEADER = { leaderId: -1, leaderEpoch: -1 };

refuse(Produce, ({ acks, topicData }, { code, message }) => {
  // Nobody waits for an answer.
  if (acks === 0) return undefined;
  return {
    responses: topicData.map(({ name, topicId, partitionData }) => ({
      ...{ name, topicId },
      partitionResponses: partitionData.map(({ index }) => ({
        index,
        errorCode: code,
        baseOffset: -1,
        logAppendTimeMs: -1,
        logStartOffset: -1,
        errorMessage: message,
        currentLeader: NO_LEADER,
      })),
    })),
    throttleTimeMs: 0,
  };
});

refuse(Fetch, ({ topics }, { code }) => ({
  throttleTimeMs: 0,
  errorCode: code,
  responses: topics.map(({ topic, topicId, partitions }) => ({
    ...{ topic, topicId },
    partitions: partitions.map(({ partition }) => ({
      partitionIndex: partition,
      errorCode: code,
      highWatermark: -1,
      lastStableOffset: -1,
      logStartOffset: -1,
      divergingEpoch: { epoch: -1, endOffset: -1 },
      currentLeader: NO_LEADER,
      preferredReadReplica: -1,
      records: [],
    })),
  })),
}));

refuse(ListOffsets, ({ topics }, { code }) => ({
  throttleTimeMs: 0,
  topics: topics.map(({ name, partitions }) => ({
    name,
    partitions: partitions.map(({ partitionIndex }) => ({
      partitionIndex,
      errorCode: code,
      timestamp: -1,
      offset: -1,
      leaderEpoch: -1,
    })),
  })),
}));

refuse(OffsetForLeaderEpoch, ({ topics }, { code }) => ({
  throttleTimeMs: 0,
  topics: topics.map(({ topic, partitions }) => ({
    topic,
    partitions: partitions.map(({ partition }) => ({
      errorCode: code,
      partition,
      leaderEpoch: -1,
      endOffset: -1,
    })),
  })),
}));

refuse(Metadata, ({ topics }, { code }) => ({
  throttleTimeMs: 0,
  brokers: [],
  clusterId: null,
  controllerId: -1,
  topics: (topics ?? []).map(({ name, topicId }) => ({
    errorCode: code,
    name,
    topicId,
    isInternal: false,
    partitions: [],
  })),
  errorCode: code,
}));

refuse(FindCoordinator, ({ key, coordinatorKeys }, { code, message }) => {
  const nobody = { errorCode: code, errorMessage: message, nodeId: -1, host: '', port: -1 };
  const keys = coordinatorKeys.length > 0 ? coordinatorKeys : [key];
  return { throttleTimeMs: 0, ...nobody, coordinators: keys.map((each) => ({ key: each, ...nobody })) };
});

refuse(InitProducerId, (_, { code }) => ({
  throttleTimeMs: 0,
  errorCode: code,
  producerId: -1,
  producerEpoch: -1,
}));

refuse(CreateTopics, ({ topics }, { code, message }) => ({
  throttleTimeMs: 0,
  topics: topics.map(({ name }) => ({
    name,
    topicId: ZERO_UUID,
    errorCode: code,
    errorMessage: message,
    numPartitions: -1,
    replicationFactor: -1,
  })),
}));

refuse(DeleteTopics, ({ topics, topicNames }, { code, message }) => {
  const named = topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
  const answers = [...topics, ...named].map(({ name, topicId }) => ({
    ...{ name, topicId },
    errorCode: code,
    errorMessage: message,
  }));
  return { throttleTimeMs: 0, responses: answers };
});

refuse(DescribeConfigs, ({ resources }, { code, message }) => ({
  throttleTimeMs: 0,
  results: resources.map(({ resourceType, resourceName }) => ({
    errorCode: code,
    errorMessage: message,
    ...{ resourceType, resourceName },
    configs: [],
  })),
}));

refuse(DescribeCluster, (_, { code, message }) => ({
  throttleTimeMs: 0,
  errorCode: code,
  errorMessage: message,
  clusterId: '',
  controllerId: -1,
  brokers: [],
}));
