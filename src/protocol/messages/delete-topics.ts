import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, nullable, string, struct, uuid } from '../schema.ts';

/** Deletes topics by name or by id. */
export const DeleteTopics = api({
  key: 20,
  name: 'DeleteTopics',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    topics: array(struct({ name: nullable(string()), topicId: uuid() })),
    timeoutMs: int32(),
  }),
  response: struct({
    throttleTimeMs: int32(),
    responses: array(
      struct({
        name: nullable(string()),
        topicId: uuid(),
        errorCode: int16(),
        errorMessage: nullable(string()),
      }),
    ),
  }),
});

export type DeleteTopicsRequest = RequestOf<typeof DeleteTopics>;
export type DeleteTopicsResponse = ResponseOf<typeof DeleteTopics>;
