import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { pair } from './target.ts';

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
