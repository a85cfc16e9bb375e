import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, int16, int32, int64, nullable, string, struct, withDefault } from '../schema.ts';

/** Hands out a producer id, or bumps the epoch of the given one (KIP-360). */
export const InitProducerId = api({
  key: 22,
  name: 'InitProducerId',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    transactionalId: nullable(string()),
    transactionTimeoutMs: int32(),
    producerId: withDefault(int64(), -1),
    producerEpoch: withDefault(int16(), -1),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: withDefault(int64(), -1),
    producerEpoch: int16(),
  }),
});

export type InitProducerIdRequest = RequestOf<typeof InitProducerId>;
export type InitProducerIdResponse = ResponseOf<typeof InitProducerId>;
