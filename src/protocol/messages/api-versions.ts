import type { ResponseOf } from '../schema.ts';
import { api, array, bool, int16, int32, int64, string, struct } from '../schema.ts';

/** Opens every connection: who is speaking, and what the other side serves. */
export const ApiVersions = api({
  key: 18,
  name: 'ApiVersions',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [0, 4], flexible: 3 },
  request: struct({
    /** Null from some clients, against Kafka's own schema. */
    clientSoftwareName: string().since(3).nullable(),
    clientSoftwareVersion: string().since(3).nullable(),
    /** The release of the message catalogue that the client speaks. */
    catalogueVersion: int32().notInKafka(),
  }),
  response: struct({
    errorCode: int16(),
    apiKeys: array(struct({ apiKey: int16(), minVersion: int16(), maxVersion: int16() })),
    throttleTimeMs: int32().since(1),
    /** Before version 4, features whose minVersion is 0 must be left out (KAFKA-17011). */
    supportedFeatures: array(struct({ name: string(), minVersion: int16(), maxVersion: int16() }))
      .since(3)
      .tagged(0)
      .optional(),
    finalizedFeaturesEpoch: int64().since(3).tagged(1).default(-1).optional(),
    finalizedFeatures: array(struct({ name: string(), maxVersionLevel: int16(), minVersionLevel: int16() }))
      .since(3)
      .tagged(2)
      .optional(),
    zkMigrationReady: bool().since(3).tagged(3).optional(),
    catalogueVersion: int32().notInKafka(),
    /** Who answers. */
    nodeId: int32().notInKafka().sinceCatalogue(3, { ignorable: true }).default(-1).optional(),
  }),
});

export type ApiVersionsResponse = ResponseOf<typeof ApiVersions>;
