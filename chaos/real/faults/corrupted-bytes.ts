import type { Fault } from './fault.ts';

/** Bits flip on the way, which the checksums of TCP missed. */
export const corruptedBytes: Fault = {
  name: 'corrupted bytes',
  kind: 'network',
  lastsMs: [2000, 5000],
  begin: async ({ cluster, random }) => {
    const corruptChance = random.pick([0.002, 0.01, 0.05]);
    for (const link of cluster.links.all) link.set('both', { corruptChance });
    return { what: `${corruptChance} of all packets`, end: async () => cluster.links.heal() };
  },
};
