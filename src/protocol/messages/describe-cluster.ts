import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int8, int16, int32, string, struct } from '../schema.ts';
import { authorizedOperations } from './authorized-operations.ts';

/** The cluster: its id, its controller and its brokers, fenced ones too if asked. */
export const DescribeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [0, 2], flexible: 0 },
  request: struct({
    includeClusterAuthorizedOperations: bool().optional(),
    /** 1 brokers, 2 controllers (KIP-919). */
    endpointType: int8().since(1).default(1).optional(),
    includeFencedBrokers: bool().since(2),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
    endpointType: int8().since(1).default(1).optional(),
    clusterId: string(),
    controllerId: int32().default(-1),
    brokers: array(
      struct({
        brokerId: int32(),
        host: string(),
        port: int32(),
        rack: string().nullable(),
        isFenced: bool().since(2),
      }),
    ),
    clusterAuthorizedOperations: authorizedOperations(),
  }),
});

export type DescribeClusterRequest = RequestOf<typeof DescribeCluster>;
export type DescribeClusterResponse = ResponseOf<typeof DescribeCluster>;
