import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int8, int16, int32, string, struct } from '../schema.ts';

/** Elects the preferred (0) or, accepting loss, any (1) replica; null means all partitions. */
export const ElectLeaders = api({
  key: 43,
  name: 'ElectLeaders',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    electionType: int8(),
    topicPartitions: array(struct({ topic: string(), partitions: array(int32()) })).nullable(),
    timeoutMs: int32(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    replicaElectionResults: array(
      struct({
        topic: string(),
        partitionResult: array(
          struct({
            partitionId: int32(),
            errorCode: int16(),
            errorMessage: string().nullable(),
          }),
        ),
      }),
    ),
  }),
});

export type ElectLeadersRequest = RequestOf<typeof ElectLeaders>;
export type ElectLeadersResponse = ResponseOf<typeof ElectLeaders>;
