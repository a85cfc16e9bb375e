import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int8, int16, int32, string, struct, uuid } from '../schema.ts';

/** Creates topics; -1 partitions or replicas take the cluster defaults. */
export const CreateTopics = api({
  key: 19,
  name: 'CreateTopics',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [2, 7], flexible: 5 },
  request: struct({
    topics: array(
      struct({
        name: string(),
        numPartitions: int32(),
        replicationFactor: int16(),
        /** A manual placement; empty lets the controller place. */
        assignments: array(struct({ partitionIndex: int32(), brokerIds: array(int32()) })),
        configs: array(struct({ name: string(), value: string().nullable() })),
      }),
    ),
    timeoutMs: int32().default(60_000),
    validateOnly: bool(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    topics: array(
      struct({
        name: string(),
        topicId: uuid().since(7),
        errorCode: int16(),
        errorMessage: string().nullable(),
        /** Why `configs` is null. */
        topicConfigErrorCode: int16().since(5).tagged(0).optional(),
        numPartitions: int32().since(5).default(-1),
        replicationFactor: int16().since(5).default(-1),
        configs: array(
          struct({
            name: string(),
            value: string().nullable(),
            readOnly: bool(),
            /** As in DescribeConfigs. */
            configSource: int8().default(-1),
            isSensitive: bool(),
          }),
        )
          .since(5)
          .nullable()
          .optional(),
      }),
    ),
  }),
});

export type CreateTopicsRequest = RequestOf<typeof CreateTopics>;
export type CreateTopicsResponse = ResponseOf<typeof CreateTopics>;
