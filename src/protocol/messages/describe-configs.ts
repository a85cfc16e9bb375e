import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int8, int16, int32, nullable, string, struct } from '../schema.ts';

/** Configs of topics (resourceType 2) and brokers (4), each with its source. */
export const DescribeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        /** null: every key. */
        configurationKeys: nullable(array(string())),
      }),
    ),
    includeSynonyms: bool(),
    includeDocumentation: bool(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    results: array(
      struct({
        errorCode: int16(),
        errorMessage: nullable(string()),
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            value: nullable(string()),
            readOnly: bool(),
            /** 1 topic, 4 static broker, 5 default (Kafka's ConfigSource). */
            configSource: int8(),
            isSensitive: bool(),
            synonyms: array(struct({ name: string(), value: nullable(string()), source: int8() })),
            configType: int8(),
            documentation: nullable(string()),
          }),
        ),
      }),
    ),
  }),
});

export type DescribeConfigsRequest = RequestOf<typeof DescribeConfigs>;
export type DescribeConfigsResponse = ResponseOf<typeof DescribeConfigs>;
