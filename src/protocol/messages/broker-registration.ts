import { OLDEST_CATALOGUE_VERSION } from '../catalogue-version.ts';
import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int16, int32, int64, string, struct, uuid } from '../schema.ts';

/** A broker that started introduces itself; the answer is its broker epoch. */
export const BrokerRegistration = api({
  key: 62,
  name: 'BrokerRegistration',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    brokerId: int32(),
    clusterId: string(),
    /** New at each start of the process. */
    incarnationId: uuid(),
    directoryId: uuid(),
    listeners: array(struct({ name: string(), host: string(), port: int32() })),
    rack: string().nullable(),
    /** All that its replicas had acknowledged is still there, page cache included (KIP-966). */
    cleanShutdown: bool(),
    /** What the broker can read: the cluster's level rises to what all of them can. */
    catalogueVersion: int32().default(OLDEST_CATALOGUE_VERSION).sinceCatalogue(3, { ignorable: true }),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: string().nullable(),
    brokerEpoch: int64().default(-1),
  }),
});

export type BrokerRegistrationRequest = RequestOf<typeof BrokerRegistration>;
export type BrokerRegistrationResponse = ResponseOf<typeof BrokerRegistration>;
