import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, string, struct, uuid } from '../schema.ts';

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
    instanceId: string().nullable(),
    rackId: string().nullable(),
    rebalanceTimeoutMs: int32().default(-1),
    /** null: unchanged since the last heartbeat. */
    subscribedTopicNames: array(string()).nullable(),
    serverAssignor: string().nullable(),
    /** The partitions that the member owns now; null: unchanged since the last heartbeat. */
    topicPartitions: array(struct({ topicId: uuid(), partitions: array(int32()) })).nullable(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
    memberId: string().nullable(),
    memberEpoch: int32(),
    heartbeatIntervalMs: int32(),
    /** null: unchanged. */
    assignment: struct({
      topicPartitions: array(struct({ topicId: uuid(), partitions: array(int32()) })),
    }).nullable(),
    /** A member that heard nothing for this long, counted from its last answered heartbeat, has lost its partitions. */
    sessionTimeoutMs: int32().default(-1),
    /** The same for a member that lost its connection as well. */
    disconnectGraceMs: int32().default(-1),
  }),
});

export type ConsumerGroupHeartbeatRequest = RequestOf<typeof ConsumerGroupHeartbeat>;
export type ConsumerGroupHeartbeatResponse = ResponseOf<typeof ConsumerGroupHeartbeat>;
