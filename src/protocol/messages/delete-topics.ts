import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, string, struct, uuid } from '../schema.ts';

/** Deletes topics by name or by id. */
export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [1, 6], flexible: 4 },
  request: struct({
    topics: array(struct({ name: string().nullable(), topicId: uuid() })).since(6),
    /** All that Kafka's versions up to 5 know. */
    topicNames: array(string()).until(5).optional(),
    timeoutMs: int32(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    responses: array(
      struct({
        name: string().nullable({ since: 6 }),
        topicId: uuid().since(6),
        errorCode: int16(),
        errorMessage: string().since(5).nullable(),
      }),
    ),
  }),
});

export type DeleteTopicsRequest = RequestOf<typeof DeleteTopics>;
export type DeleteTopicsResponse = ResponseOf<typeof DeleteTopics>;
