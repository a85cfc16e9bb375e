import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, int16, int32, int64, struct } from '../schema.ts';

/** A broker fetches a block of producer ids to hand out. */
export const AllocateProducerIds = api({
  key: 67,
  name: 'AllocateProducerIds',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    brokerId: int32(),
    brokerEpoch: int64(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerIdStart: int64(),
    producerIdLen: int32(),
  }),
});

export type AllocateProducerIdsRequest = RequestOf<typeof AllocateProducerIds>;
export type AllocateProducerIdsResponse = ResponseOf<typeof AllocateProducerIds>;
