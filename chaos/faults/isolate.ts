import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aTarget } from './target.ts';

/** Nothing passes between the target and the other nodes; clients reach it still. */
export const isolate = faultKind({
  kind: 'isolate',
  weight: 4,
  params: fc.record({ target: aTarget, direction: fc.constantFrom('both', 'in', 'out') }),
  strike: ({ target, direction }, { cluster, world: { network }, resolve }) => {
    const { name } = resolve(target).machine;
    const others = cluster.nodes.map(({ machine }) => machine.name).filter((other) => other !== name);
    if (direction !== 'out') network.cutOneWay(others, name);
    if (direction !== 'in') network.cutOneWay(name, others);
    return () => network.heal(name, others);
  },
});
