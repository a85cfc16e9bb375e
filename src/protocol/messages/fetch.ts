import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int8, int16, int32, int64, records, string, struct, uuid } from '../schema.ts';
import { currentLeader, nodeEndpoints } from './leader-hints.ts';

/**
 * Reads record batches, for consumers and followers; waits up to maxWaitMs for minBytes. A topic goes by its id, or by
 * its name where the id is zero.
 */
export const Fetch = api({
  key: 1,
  name: 'Fetch',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [4, 18], flexible: 12 },
  request: struct({
    clusterId: string().since(12).tagged(0).nullable().optional(),
    /** Who fetches, in Kafka's older versions: only consumers do. */
    replicaId: int32().until(14).default(-1).optional(),
    replicaState: struct({
      /** -1 for a consumer. */
      replicaId: int32().default(-1),
      /** The broker epoch of the fetching replica (KIP-903); -1 for a consumer. */
      replicaEpoch: int64().default(-1),
    })
      .since(15)
      .tagged(1),
    maxWaitMs: int32(),
    minBytes: int32(),
    maxBytes: int32().default(0x7fff_ffff),
    isolationLevel: int8(),
    /** KIP-227; 0 and -1 for a fetch without a session. */
    sessionId: int32().since(7).optional(),
    sessionEpoch: int32().since(7).default(-1).optional(),
    topics: array(
      struct({
        topic: string().until(12).optional(),
        topicId: uuid().since(13),
        partitions: array(
          struct({
            partition: int32(),
            currentLeaderEpoch: int32().since(9).default(-1),
            fetchOffset: int64(),
            /** The epoch of the last record the fetcher has (KIP-595), so that the leader can tell divergence; -1 unknown. */
            lastFetchedEpoch: int32().since(12).default(-1),
            logStartOffset: int64().since(5).default(-1),
            partitionMaxBytes: int32(),
            replicaDirectoryId: uuid().since(17).tagged(0).optional(),
            /** The high watermark that the follower knows (KIP-1166). */
            highWatermark: int64().since(18).tagged(1).default(Number.MAX_SAFE_INTEGER).optional(),
          }),
        ),
      }),
    ),
    forgottenTopicsData: array(
      struct({
        topic: string().until(12),
        topicId: uuid().since(13),
        partitions: array(int32()),
      }),
    )
      .since(7)
      .optional(),
    rackId: string().since(11),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16().since(7),
    /** 0: no session was made. */
    sessionId: int32().since(7).optional(),
    responses: array(
      struct({
        topic: string().until(12).optional(),
        topicId: uuid().since(13),
        partitions: array(
          struct({
            partitionIndex: int32(),
            errorCode: int16(),
            highWatermark: int64(),
            lastStableOffset: int64().default(-1),
            logStartOffset: int64().since(5).default(-1),
            /** Where the fetcher's log leaves the leader's; epoch -1 when it does not. */
            divergingEpoch: struct({ epoch: int32().default(-1), endOffset: int64().default(-1) })
              .since(12)
              .tagged(0),
            currentLeader: currentLeader().since(12).tagged(1),
            /** Only the quorum of Kafka fetches snapshots. */
            snapshotId: struct({ endOffset: int64().default(-1), epoch: int32().default(-1) })
              .since(12)
              .tagged(2)
              .optional(),
            /** Sorted by firstOffset; null where the fetcher reads uncommitted records too. */
            abortedTransactions: array(struct({ producerId: int64(), firstOffset: int64() }))
              .nullable()
              .optional(),
            preferredReadReplica: int32().since(11).default(-1),
            records: records(),
          }),
        ),
      }),
    ),
    nodeEndpoints: nodeEndpoints().since(16).tagged(0),
  }),
});

export type FetchRequest = RequestOf<typeof Fetch>;
export type FetchResponse = ResponseOf<typeof Fetch>;
