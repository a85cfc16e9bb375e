import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

type Pair = readonly [number, number];
const pair = fc.constantFrom<Pair>([1, 2], [2, 3], [1, 3], [2, 1], [3, 2], [3, 1]);

/** Nothing passes between two nodes. */
export const cut = faultKind({
  kind: 'cut',
  weight: 2,
  params: fc.record({ between: pair, isOneWay: fc.boolean() }),
  strike: ({ between: [from, to], isOneWay }, { cluster, world: { network } }) => {
    const left = cluster.member(from).machine.name;
    const right = cluster.member(to).machine.name;
    if (isOneWay) network.cutOneWay(left, right);
    else network.cut(left, right);
    return () => network.heal(left, right);
  },
});
