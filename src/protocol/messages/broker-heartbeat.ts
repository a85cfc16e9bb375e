import { OLDEST_CATALOGUE_VERSION } from '../catalogue-version.ts';
import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int16, int32, int64, struct, uuid } from '../schema.ts';

/** A broker is alive; it is unfenced once its metadata caught up. wantShutDown moves its leaders away first. */
export const BrokerHeartbeat = api({
  key: 63,
  name: 'BrokerHeartbeat',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    brokerId: int32(),
    brokerEpoch: int64(),
    /** The last metadata index that the broker applied. */
    currentMetadataOffset: int64(),
    wantFence: bool(),
    wantShutDown: bool(),
    /** As the broker registered: a controller that is new learns it here. */
    catalogueVersion: int32().default(OLDEST_CATALOGUE_VERSION).sinceCatalogue(3, { ignorable: true }),
    /** All replicas of the broker whose copy is damaged (compare the offline directories of KIP-858). */
    offlineReplicas: array(struct({ topicId: uuid(), partition: int32() })).sinceCatalogue(3, {
      ignorable: true,
    }),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    isCaughtUp: bool(),
    isFenced: bool(),
    shouldShutDown: bool(),
  }),
});

export type BrokerHeartbeatRequest = RequestOf<typeof BrokerHeartbeat>;
export type BrokerHeartbeatResponse = ResponseOf<typeof BrokerHeartbeat>;
