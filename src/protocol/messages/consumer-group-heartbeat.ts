import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, nullable, string, struct, uuid, withDefault } from '../schema.ts';

/** Joins (member epoch 0), keeps alive and leaves (-1) a group; partitions are assigned by the server (KIP-848). */
export const ConsumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    groupId: string(),
    /** Chosen by the member: 22 characters of a random uuid. */
    memberId: string(),
    memberEpoch: int32(),
    instanceId: nullable(string()),
    rackId: nullable(string()),
    rebalanceTimeoutMs: withDefault(int32(), -1),
    /** null: unchanged since the last heartbeat. */
    subscribedTopicNames: nullable(array(string())),
    serverAssignor: nullable(string()),
    /** The partitions that the member owns now; null: unchanged since the last heartbeat. */
    topicPartitions: nullable(array(struct({ topicId: uuid(), partitions: array(int32()) }))),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullable(string()),
    memberId: nullable(string()),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    /** null: unchanged. */
    assignment: nullable(
      struct({
        topicPartitions: array(struct({ topicId: uuid(), partitions: array(int32()) })),
      }),
    ),
    /** A member that heard nothing for this long, counted from its last answered heartbeat, has lost its partitions. */
    sessionTimeoutMs: withDefault(int32(), -1),
    /** The same for a member that lost its connection as well. */
    disconnectGraceMs: withDefault(int32(), -1),
  }),
});

export type ConsumerGroupHeartbeatRequest = RequestOf<typeof ConsumerGroupHeartbeat>;
export type ConsumerGroupHeartbeatResponse = ResponseOf<typeof ConsumerGroupHeartbeat>;
