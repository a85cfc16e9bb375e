import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int16, int32, string, struct, uuid } from '../schema.ts';
import { authorizedOperations } from './authorized-operations.ts';

/** The brokers, the controller and the partitions of topics: by name, by id, or (null) all of them. */
export const Metadata = api({
  key: 3,
  name: 'Metadata',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [0, 13], flexible: 9 },
  request: struct({
    topics: array(struct({ topicId: uuid().since(10), name: string().nullable({ since: 10 }) })).nullable({
      since: 1,
      emptyBefore: true,
    }),
    allowAutoTopicCreation: bool().since(4).default(true),
    includeClusterAuthorizedOperations: bool().since(8).until(10).optional(),
    includeTopicAuthorizedOperations: bool().since(8).optional(),
  }),
  response: struct({
    throttleTimeMs: int32().since(3),
    brokers: array(
      struct({ nodeId: int32(), host: string(), port: int32(), rack: string().since(1).nullable() }),
    ),
    clusterId: string().since(2).nullable(),
    controllerId: int32().since(1).default(-1),
    topics: array(
      struct({
        errorCode: int16(),
        name: string().nullable({ since: 12 }),
        topicId: uuid().since(10),
        isInternal: bool().since(1),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32().since(7).default(-1),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            offlineReplicas: array(int32()).since(5),
            /** KIP-966: replicas outside the ISR that still hold everything committed. */
            eligibleLeaderReplicas: array(int32()).notInKafka(),
          }),
        ),
        topicAuthorizedOperations: authorizedOperations().since(8),
      }),
    ),
    clusterAuthorizedOperations: authorizedOperations().since(8).until(10),
    errorCode: int16().since(13),
  }),
});

export type MetadataRequest = RequestOf<typeof Metadata>;
export type MetadataResponse = ResponseOf<typeof Metadata>;
