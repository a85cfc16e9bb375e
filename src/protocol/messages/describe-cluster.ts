import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int16, int32, nullable, string, struct, withDefault } from '../schema.ts';

/** The cluster: its id, its controller and its brokers, fenced ones too if asked. */
export const DescribeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    includeFencedBrokers: bool(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullable(string()),
    clusterId: string(),
    controllerId: withDefault(int32(), -1),
    brokers: array(
      struct({
        brokerId: int32(),
        host: string(),
        port: int32(),
        rack: nullable(string()),
        isFenced: bool(),
      }),
    ),
  }),
});

export type DescribeClusterRequest = RequestOf<typeof DescribeCluster>;
export type DescribeClusterResponse = ResponseOf<typeof DescribeCluster>;
