import { nodeName } from '../nemesis/links.ts';
import type { Fault } from './fault.ts';

/** Every node reaches its two neighbours in a ring, so each sees a majority, and no two see the same. */
export const majorityRing: Fault = {
  name: 'majority ring',
  kind: 'network',
  lastsMs: [2000, 8000],
  begin: async ({ cluster, random }) => {
    const ring = random.shuffle(cluster.nodes).map(({ id }) => nodeName(id));
    for (const [index, one] of ring.entries()) {
      for (const other of ring.slice(index + 2)) {
        // The last one is a neighbour of the first.
        if (index > 0 || other !== ring.at(-1)) cluster.links.cutBoth(one, other);
      }
    }
    return { what: ring.join(' - '), end: async () => cluster.links.heal() };
  },
};
