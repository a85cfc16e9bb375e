import { nodeName } from '../nemesis/links.ts';
import type { Fault } from './fault.ts';
import { strangersInRing } from './ring.ts';

/** Every node reaches its two neighbours in a ring, so each sees a majority, and no two see the same. */
export const majorityRing: Fault = {
  name: 'majority ring',
  kind: 'network',
  lastsMs: [2000, 8000],
  begin: async ({ cluster, random }) => {
    const ring = random.shuffle(cluster.nodes).map(({ id }) => nodeName(id));
    for (const [one, other] of strangersInRing(ring)) cluster.links.cutBoth(one, other);
    return { what: ring.join(' - '), end: async () => cluster.links.heal() };
  },
};
