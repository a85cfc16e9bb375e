import { array, int32, string, struct } from '../schema.ts';

/** KIP-951: the leader to turn to after NOT_LEADER_OR_FOLLOWER; -1 when unknown. */
export const currentLeader = () =>
  struct({ leaderId: int32().default(-1), leaderEpoch: int32().default(-1) });

/** KIP-951: where the leaders named in the same response are reached. */
export const nodeEndpoints = () =>
  array(struct({ nodeId: int32(), host: string(), port: int32(), rack: string().nullable() })).optional();
