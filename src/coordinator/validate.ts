/** What a request to the coordinator must satisfy before any group is looked at. */

import { KafkaError } from '../protocol/errors.ts';
import type { ConsumerGroupHeartbeatRequest } from '../protocol/messages/consumer-group-heartbeat.ts';
import { ASSIGNORS } from './assignors.ts';
import type { GroupLimits } from './limits.ts';

/** The epoch that a member sends to join. */
export const JOIN_EPOCH = 0;
/** The epoch that a member sends, and gets back, when it leaves. */
export const LEAVE_EPOCH = -1;

export function checkGroupId(groupId: string, limits: GroupLimits): void {
  if (groupId === '') throw new KafkaError('INVALID_GROUP_ID', 'the group id is empty');
  // A character has at most three bytes per UTF-16 unit; counting units is near enough for a limit.
  if (groupId.length > limits.groupIdBytesMax)
    throw new KafkaError('INVALID_GROUP_ID', `the group id is longer than ${limits.groupIdBytesMax}`);
}

export function checkHeartbeat(request: ConsumerGroupHeartbeatRequest, limits: GroupLimits): void {
  checkGroupId(request.groupId, limits);
  const problem = heartbeatProblem(request, limits);
  if (problem) throw new KafkaError('INVALID_REQUEST', problem);
  if (request.serverAssignor !== null && !ASSIGNORS.has(request.serverAssignor)) {
    throw new KafkaError(
      'UNSUPPORTED_ASSIGNOR',
      `unknown assignor ${JSON.stringify(request.serverAssignor)}; there are ${[...ASSIGNORS.keys()].join(', ')}`,
    );
  }
}

function heartbeatProblem(request: ConsumerGroupHeartbeatRequest, limits: GroupLimits): string | undefined {
  const { memberId, memberEpoch, subscribedTopicNames, topicPartitions } = request;
  if (memberId === '') return 'the member id is empty; a member chooses its own, a random uuid';
  if (memberId.length > limits.memberIdBytesMax)
    return `the member id is longer than ${limits.memberIdBytesMax}`;
  if (memberEpoch < LEAVE_EPOCH) return `the member epoch is ${memberEpoch}; it must be -1 or more`;
  if (request.instanceId !== null) return 'static membership (group.instance.id) is not supported';
  if (subscribedTopicNames && subscribedTopicNames.length > limits.subscribedTopicsMax)
    return `the subscription has more than ${limits.subscribedTopicsMax} topics`;
  if (memberEpoch !== JOIN_EPOCH) return undefined;
  if (subscribedTopicNames === null) return 'a join must name the subscribed topics';
  if (topicPartitions && topicPartitions.length > 0) return 'a member that joins cannot own partitions';
  return undefined;
}
