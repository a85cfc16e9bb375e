import type { Fault } from './fault.ts';

/** Connections are reset all over the place, again and again. */
export const droppedConnections: Fault = {
  name: 'dropped connections',
  kind: 'network',
  lastsMs: [2000, 5000],
  begin: async ({ cluster, random }) => {
    const resetChance = random.pick([0.002, 0.01, 0.05]);
    for (const link of cluster.links.all) link.set('both', { resetChance });
    return { what: `${resetChance} of all packets`, end: async () => cluster.links.heal() };
  },
};
