import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int8, int16, int32, nullable, string, struct } from '../schema.ts';

/** Finds the node that coordinates a group (keyType 0) or a transaction (keyType 1). */
export const FindCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  minVersion: 0,
  maxVersion: 0,
  request: struct({
    keyType: int8(),
    coordinatorKeys: array(string()),
  }),
  response: struct({
    throttleTimeMs: int32(),
    coordinators: array(
      struct({
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: nullable(string()),
      }),
    ),
  }),
});

export type FindCoordinatorRequest = RequestOf<typeof FindCoordinator>;
export type FindCoordinatorResponse = ResponseOf<typeof FindCoordinator>;
