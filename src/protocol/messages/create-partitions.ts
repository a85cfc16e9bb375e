import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, bool, int16, int32, string, struct } from '../schema.ts';

/** Adds partitions to topics; count is the new total. */
export const CreatePartitions = api({
  key: 37,
  name: 'CreatePartitions',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    topics: array(
      struct({
        name: string(),
        count: int32(),
        assignments: array(struct({ brokerIds: array(int32()) })).nullable(),
      }),
    ),
    timeoutMs: int32(),
    validateOnly: bool(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    results: array(struct({ name: string(), errorCode: int16(), errorMessage: string().nullable() })),
  }),
});

export type CreatePartitionsRequest = RequestOf<typeof CreatePartitions>;
export type CreatePartitionsResponse = ResponseOf<typeof CreatePartitions>;
