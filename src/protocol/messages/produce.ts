import type { RequestOf, ResponseOf } from '../schema.ts';
import {
  api,
  array,
  int16,
  int32,
  int64,
  nullable,
  records,
  string,
  struct,
  uuid,
  withDefault,
} from '../schema.ts';

/** Appends record batches to partitions. No response is sent when acks is 0. */
export const Produce = api({
  key: 0,
  name: 'Produce',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    transactionalId: nullable(string()),
    /** 0: none, 1: the leader wrote it, -1: every in-sync replica has it. */
    acks: int16(),
    timeoutMs: int32(),
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(struct({ index: int32(), records: records() })),
      }),
    ),
  }),
  response: struct({
    topics: array(
      struct({
        topicId: uuid(),
        partitions: array(
          struct({
            index: int32(),
            errorCode: int16(),
            baseOffset: int64(),
            logAppendTimeMs: withDefault(int64(), -1),
            logStartOffset: withDefault(int64(), -1),
            errorMessage: nullable(string()),
            /** KIP-951: the leader to turn to after NOT_LEADER_OR_FOLLOWER; -1 when unknown. */
            currentLeader: struct({
              leaderId: withDefault(int32(), -1),
              leaderEpoch: withDefault(int32(), -1),
            }),
          }),
        ),
      }),
    ),
    throttleTimeMs: int32(),
  }),
});

export type ProduceRequest = RequestOf<typeof Produce>;
export type ProduceResponse = ResponseOf<typeof Produce>;
