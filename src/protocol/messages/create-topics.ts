import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int16, int32, nullable, string, struct, uuid, withDefault } from '../schema.ts';

/** Creates topics; -1 partitions or replicas take the cluster defaults. */
export const CreateTopics = api({
  key: 19,
  name: 'CreateTopics',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    topics: array(
      struct({
        name: string(),
        numPartitions: int32(),
        replicationFactor: int16(),
        /** A manual placement; empty lets the controller place. */
        assignments: array(struct({ partitionIndex: int32(), brokerIds: array(int32()) })),
        configs: array(struct({ name: string(), value: nullable(string()) })),
      }),
    ),
    timeoutMs: int32(),
    validateOnly: bool(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        topicId: uuid(),
        errorCode: int16(),
        errorMessage: nullable(string()),
        numPartitions: withDefault(int32(), -1),
        replicationFactor: withDefault(int16(), -1),
      }),
    ),
  }),
});

export type CreateTopicsRequest = RequestOf<typeof CreateTopics>;
export type CreateTopicsResponse = ResponseOf<typeof CreateTopics>;
