import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int16, int32, nullable, string, struct, uuid, withDefault } from '../schema.ts';

/** The brokers, the controller and the partitions of topics: by name, by id, or (null) all of them. */
export const Metadata = api({
  key: 3,
  name: 'Metadata',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    topics: nullable(array(struct({ topicId: uuid(), name: nullable(string()) }))),
    allowAutoTopicCreation: bool(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    brokers: array(struct({ nodeId: int32(), host: string(), port: int32(), rack: nullable(string()) })),
    clusterId: nullable(string()),
    controllerId: withDefault(int32(), -1),
    topics: array(
      struct({
        errorCode: int16(),
        name: nullable(string()),
        topicId: uuid(),
        isInternal: bool(),
        partitions: array(
          struct({
            errorCode: int16(),
            partitionIndex: int32(),
            leaderId: int32(),
            leaderEpoch: int32(),
            replicaNodes: array(int32()),
            isrNodes: array(int32()),
            offlineReplicas: array(int32()),
            /** KIP-966: replicas outside the ISR that still hold everything committed. */
            eligibleLeaderReplicas: array(int32()),
          }),
        ),
      }),
    ),
    errorCode: int16(),
  }),
});

export type MetadataRequest = RequestOf<typeof Metadata>;
export type MetadataResponse = ResponseOf<typeof Metadata>;
