import * as fc from 'fast-check';

/** Whom a fault strikes, resolved when it does. */
export type Target =
  | { readonly who: 'leader'; readonly partition: number }
  | { readonly who: 'follower'; readonly partition: number }
  | { readonly who: 'controller' }
  | { readonly who: 'node'; readonly id: number };

/** How many partitions of the main topic there are to aim at. */
export const PARTITIONS = 3;
/** How many nodes vote in the quorum at the start. */
export const VOTERS = 3;

const node = fc.integer({ min: 1, max: VOTERS });
const partition = fc.integer({ min: 0, max: PARTITIONS - 1 });

export const anyNode = fc.record({ who: fc.constant('node' as const), id: node });
export const theController = fc.constant({ who: 'controller' as const });
export const aFollower = fc.record({ who: fc.constant('follower' as const), partition });
export const aLeader = fc.record({ who: fc.constant('leader' as const), partition });

export const aTarget: fc.Arbitrary<Target> = fc.oneof(
  { weight: 4, arbitrary: aLeader },
  { weight: 2, arbitrary: aFollower },
  { weight: 2, arbitrary: theController },
  { weight: 1, arbitrary: anyNode },
);

type Pair = readonly [number, number];
/** Two voters, in one direction. */
export const pair = fc.constantFrom<Pair>([1, 2], [2, 3], [1, 3], [2, 1], [3, 2], [3, 1]);

/** A folder of a node: the log of the quorum, or those of the partitions. */
export const aLog = fc.constantFrom('raft', 'log');
