import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int8, int16, int32, string, struct } from '../schema.ts';

/** Configs of topics (resourceType 2) and brokers (4), each with its source. */
export const DescribeConfigs = api({
  key: 32,
  name: 'DescribeConfigs',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [1, 4], flexible: 4 },
  request: struct({
    resources: array(
      struct({
        resourceType: int8(),
        resourceName: string(),
        /** null: every key. */
        configurationKeys: array(string()).nullable(),
      }),
    ),
    includeSynonyms: bool(),
    includeDocumentation: bool().since(3),
  }),
  response: struct({
    throttleTimeMs: int32(),
    results: array(
      struct({
        errorCode: int16(),
        errorMessage: string().nullable(),
        resourceType: int8(),
        resourceName: string(),
        configs: array(
          struct({
            name: string(),
            value: string().nullable(),
            readOnly: bool(),
            /** 1 topic, 4 static broker, 5 default (Kafka's ConfigSource). */
            configSource: int8().default(-1),
            isSensitive: bool(),
            synonyms: array(struct({ name: string(), value: string().nullable(), source: int8() })),
            configType: int8().since(3),
            documentation: string().since(3).nullable(),
          }),
        ),
      }),
    ),
  }),
});

export type DescribeConfigsRequest = RequestOf<typeof DescribeConfigs>;
export type DescribeConfigsResponse = ResponseOf<typeof DescribeConfigs>;
