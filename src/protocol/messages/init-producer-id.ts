import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, bool, int16, int32, int64, string, struct } from '../schema.ts';

/** Hands out a producer id, or bumps the epoch of the given one (KIP-360). */
export const InitProducerId = api({
  key: 22,
  name: 'InitProducerId',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [0, 6], flexible: 2, served: [0, 5] },
  request: struct({
    transactionalId: string().nullable(),
    transactionTimeoutMs: int32(),
    producerId: int64().since(3).default(-1),
    producerEpoch: int16().since(3).default(-1),
    /** Two-phase commit (KIP-939), which no Kafka serves yet. */
    enable2Pc: bool().since(6).optional(),
    keepPreparedTxn: bool().since(6).optional(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    producerId: int64().default(-1),
    producerEpoch: int16(),
    ongoingTxnProducerId: int64().since(6).default(-1).optional(),
    ongoingTxnProducerEpoch: int16().since(6).default(-1).optional(),
  }),
});

export type InitProducerIdRequest = RequestOf<typeof InitProducerId>;
export type InitProducerIdResponse = ResponseOf<typeof InitProducerId>;
