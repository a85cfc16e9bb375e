import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, int64, records, string, struct, uuid } from '../schema.ts';
import { currentLeader, nodeEndpoints } from './leader-hints.ts';

/**
 * Appends record batches to partitions. A topic goes by its id, or by its name where the id is zero. No response is sent
 * when acks is 0.
 *
 * On Kafka's listener 0 to 2 are told of, since librdkafka before 2.11.1 does not compress otherwise, and refused. From
 * 12 on a producer expects transactions of the second kind (KIP-890).
 */
export const Produce = api({
  key: 0,
  name: 'Produce',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [0, 13], flexible: 9, served: [3, 11], advertised: [0, 11] },
  request: struct({
    transactionalId: string().since(3).nullable(),
    /** 0: none, 1: the leader wrote it, -1: every in-sync replica has it. */
    acks: int16(),
    timeoutMs: int32(),
    topicData: array(
      struct({
        name: string().until(12).optional(),
        topicId: uuid().since(13),
        partitionData: array(struct({ index: int32(), records: records() })),
      }),
    ),
  }),
  response: struct({
    responses: array(
      struct({
        name: string().until(12).optional(),
        topicId: uuid().since(13),
        partitionResponses: array(
          struct({
            index: int32(),
            errorCode: int16(),
            baseOffset: int64(),
            logAppendTimeMs: int64().since(2).default(-1),
            logStartOffset: int64().since(5).default(-1),
            /** KIP-467: the records for which the whole batch was refused. */
            recordErrors: array(struct({ batchIndex: int32(), batchIndexErrorMessage: string().nullable() }))
              .since(8)
              .optional(),
            errorMessage: string().since(8).nullable(),
            currentLeader: currentLeader().since(10).tagged(0),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32().since(1),
    nodeEndpoints: nodeEndpoints().since(10).tagged(0),
  }),
});

export type ProduceRequest = RequestOf<typeof Produce>;
export type ProduceResponse = ResponseOf<typeof Produce>;
