import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, string, struct } from '../schema.ts';

/** Deletes empty groups and their offsets. */
export const DeleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    groupsNames: array(string()),
  }),
  response: struct({
    throttleTimeMs: int32(),
    results: array(struct({ groupId: string(), errorCode: int16() })),
  }),
});

export type DeleteGroupsRequest = RequestOf<typeof DeleteGroups>;
export type DeleteGroupsResponse = ResponseOf<typeof DeleteGroups>;
