import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { pair } from './target.ts';

/** What one node sends to one other takes longer; the way back does not. */
export const slowLink = faultKind({
  kind: 'slowLink',
  weight: 2,
  params: fc.record({ between: pair, delayMs: fc.constantFrom<number[]>(20, 300, 2500) }),
  strike: ({ between: [from, to], delayMs }, { cluster, world: { network } }) =>
    network.links.delay(cluster.member(from).machine.name, cluster.member(to).machine.name, delayMs),
});
