import type { ResponseOf } from '../schema.ts';
import { api, array, int16, int32, string, struct } from '../schema.ts';

/** Opens every connection: who is speaking, and what the other side serves. */
export const ApiVersions = api({
  key: 18,
  name: 'ApiVersions',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    clientSoftwareName: string(),
    clientSoftwareVersion: string(),
    /** The release of the message catalogue that the client speaks. */
    catalogueVersion: int32(),
  }),
  response: struct({
    errorCode: int16(),
    apiKeys: array(struct({ apiKey: int16(), minVersion: int16(), maxVersion: int16() })),
    throttleTimeMs: int32(),
    catalogueVersion: int32(),
  }),
});

export type ApiVersionsResponse = ResponseOf<typeof ApiVersions>;
