import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int16, int32, string, struct } from '../schema.ts';

/** All groups of the cluster. */
export const ListGroups = api({
  key: 16,
  name: 'ListGroups',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    statesFilter: array(string()),
    typesFilter: array(string()),
  }),
  response: struct({
    throttleTimeMs: int32(),
    errorCode: int16(),
    groups: array(
      struct({
        groupId: string(),
        protocolType: string(),
        groupState: string(),
        groupType: string(),
      }),
    ),
  }),
});

export type ListGroupsRequest = RequestOf<typeof ListGroups>;
export type ListGroupsResponse = ResponseOf<typeof ListGroups>;
