import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

/**
 * Every node hears its neighbours on a ring and no others: of four, each a majority, but another one each. Three sit on a
 * one-way ring: each hears one and is heard by the other.
 */
export const ring = faultKind({
  kind: 'ring',
  weight: 1,
  params: fc.record({ isReversed: fc.boolean() }),
  strike: ({ isReversed }, { cluster, world: { network } }) => {
    const all = cluster.nodes.map(({ machine }) => machine.name);
    const names = isReversed ? all.toReversed() : all;
    const cuts = names.map((name, index) => {
      const other = names[(index + Math.floor(names.length / 2)) % names.length] ?? name;
      network.cutOneWay(name, other);
      return [name, other] as const;
    });
    return () => {
      for (const [name, other] of cuts) network.heal(name, other);
    };
  },
});
