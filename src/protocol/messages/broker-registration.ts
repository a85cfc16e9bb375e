import type { RequestOf, ResponseOf } from '../schema.ts';
import {
  api,
  array,
  bool,
  int16,
  int32,
  int64,
  nullable,
  string,
  struct,
  uuid,
  withDefault,
} from '../schema.ts';

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
    rack: nullable(string()),
    /** All that its replicas had acknowledged is still there, page cache included (KIP-966). */
    cleanShutdown: bool(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    errorMessage: nullable(string()),
    brokerEpoch: withDefault(int64(), -1),
  }),
});

export type BrokerRegistrationRequest = RequestOf<typeof BrokerRegistration>;
export type BrokerRegistrationResponse = ResponseOf<typeof BrokerRegistration>;
