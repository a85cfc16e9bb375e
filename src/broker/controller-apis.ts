/** The APIs that the controller decides: those of clients, passed on by any broker, and those of brokers. */

import { AddRaftVoter } from '../protocol/messages/add-raft-voter.ts';
import { AllocateProducerIds } from '../protocol/messages/allocate-producer-ids.ts';
import { AlterPartition } from '../protocol/messages/alter-partition.ts';
import { BrokerHeartbeat } from '../protocol/messages/broker-heartbeat.ts';
import { BrokerRegistration } from '../protocol/messages/broker-registration.ts';
import { CreatePartitions } from '../protocol/messages/create-partitions.ts';
import { CreateTopics } from '../protocol/messages/create-topics.ts';
import {
  DeleteTopics,
  type DeleteTopicsRequest,
  type DeleteTopicsResponse,
} from '../protocol/messages/delete-topics.ts';
import { ElectLeaders } from '../protocol/messages/elect-leaders.ts';
import { IncrementalAlterConfigs } from '../protocol/messages/incremental-alter-configs.ts';
import { RemoveRaftVoter } from '../protocol/messages/remove-raft-voter.ts';
import type { Complete } from '../protocol/schema.ts';
import { ZERO_UUID } from '../protocol/uuid.ts';
import type { Handler } from './context.ts';
import { controllerOnly, forwarded } from './forward.ts';

export const createTopics = forwarded(CreateTopics, ({ timeoutMs }) => timeoutMs);

/** Names alone, in Kafka's older versions, count as topics whose id is not told. */
export const deleteTopics: Handler<Complete<DeleteTopicsRequest>, DeleteTopicsResponse> = (
  context,
  { topics, topicNames, timeoutMs },
  from,
) => {
  const named = topicNames.map((name) => ({ name, topicId: ZERO_UUID }));
  return forwardDeleteTopics(context, { topics: [...topics, ...named], timeoutMs }, from);
};
const forwardDeleteTopics = forwarded(DeleteTopics, ({ timeoutMs }) => timeoutMs);

export const createPartitions = forwarded(CreatePartitions, ({ timeoutMs }) => timeoutMs);
export const electLeaders = forwarded(ElectLeaders, ({ timeoutMs }) => timeoutMs);
export const incrementalAlterConfigs = forwarded(IncrementalAlterConfigs);

export const addRaftVoter = forwarded(AddRaftVoter, ({ timeoutMs }) => timeoutMs);
export const removeRaftVoter = forwarded(RemoveRaftVoter);

export const alterPartition = controllerOnly(AlterPartition);
export const brokerRegistration = controllerOnly(BrokerRegistration);
export const brokerHeartbeat = controllerOnly(BrokerHeartbeat);
export const allocateProducerIds = controllerOnly(AllocateProducerIds);
