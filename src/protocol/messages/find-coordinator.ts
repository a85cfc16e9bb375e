import type { RequestOf, ResponseOf } from '../schema.ts';
import { api, array, int8, int16, int32, string, struct } from '../schema.ts';

/**
 * Finds the node that coordinates a group (keyType 0) or a transaction (keyType 1): of one key and in the response itself
 * in Kafka's versions up to 3, of many keys and in a list since.
 */
export const FindCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  minVersion: 0,
  maxVersion: 0,
  kafka: { versions: [0, 6], flexible: 3 },
  request: struct({
    key: string().until(3).optional(),
    keyType: int8().since(1),
    coordinatorKeys: array(string()).since(4),
  }),
  response: struct({
    throttleTimeMs: int32().since(1),
    errorCode: int16().until(3).optional(),
    errorMessage: string().since(1).until(3).nullable().optional(),
    nodeId: int32().until(3).optional(),
    host: string().until(3).optional(),
    port: int32().until(3).optional(),
    coordinators: array(
      struct({
        key: string(),
        nodeId: int32(),
        host: string(),
        port: int32(),
        errorCode: int16(),
        errorMessage: string().nullable(),
      }),
    ).since(4),
  }),
});

export type FindCoordinatorRequest = RequestOf<typeof FindCoordinator>;
export type FindCoordinatorResponse = ResponseOf<typeof FindCoordinator>;
