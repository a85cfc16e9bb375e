import type { RequestOf, ResponseOf } from '../schema.ts';
import {
  api,
  array,
  int8,
  int16,
  int32,
  int64,
  records,
  string,
  struct,
  uuid,
  withDefault,
} from '../schema.ts';

/** Reads record batches, for consumers (replicaId -1) and followers; waits up to maxWaitMs for minBytes. */
export const Fetch = api({
  key: 1,
  name: 'Fetch',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    /** -1 for a consumer. */
    replicaId: withDefault(int32(), -1),
    /** The broker epoch of the fetching replica (KIP-903); -1 for a consumer. */
    replicaEpoch: withDefault(int64(), -1),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32(),
    isolationLevel: int8(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: withDefault(int32(), -1),
            fetchOffset: int64(),
            /** The epoch of the last record the fetcher has (KIP-595), so that the leader can tell divergence; -1 unknown. */
            lastFetchedEpoch: withDefault(int32(), -1),
            logStartOffset: withDefault(int64(), -1),
            partitionMaxBytes: int32(),
          }),
        ),
      }),
    ),
    rackId: string(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            highWatermark: int64(),
            lastStableOffset: withDefault(int64(), -1),
            logStartOffset: withDefault(int64(), -1),
            /** Where the fetcher's log leaves the leader's; epoch -1 when it does not. */
            divergingEpoch: struct({ epoch: withDefault(int32(), -1), endOffset: withDefault(int64(), -1) }),
            currentLeader: struct({
              leaderId: withDefault(int32(), -1),
              leaderEpoch: withDefault(int32(), -1),
            }),
            preferredReadReplica: withDefault(int32(), -1),
            records: records(),
          }),
        ),
      }),
    ),
  }),
});

export type FetchRequest = RequestOf<typeof Fetch>;
export type FetchResponse = ResponseOf<typeof Fetch>;
