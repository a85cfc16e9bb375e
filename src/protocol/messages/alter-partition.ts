import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, int64, struct, uuid } from '../schema.ts';

/** A partition leader asks the controller to change the ISR: compare-and-set on the partition epoch (KIP-497, KIP-903). */
export const AlterPartition = api({
  key: 56,
  name: 'AlterPartition',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    brokerId: int32(),
    brokerEpoch: int64(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            partitionIndex: int32(),
            leaderEpoch: int32(),
            newIsrWithEpochs: array(struct({ brokerId: int32(), brokerEpoch: int64().default(-1) })),
            partitionEpoch: int32(),
          }),
        ),
      }),
    ),
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
            leaderId: int32(),
            leaderEpoch: int32(),
            isr: array(int32()),
            partitionEpoch: int32(),
          }),
        ),
      }),
    ),
  }),
});

export type AlterPartitionRequest = RequestOf<typeof AlterPartition>;
export type AlterPartitionResponse = ResponseOf<typeof AlterPartition>;
