import type { Fault } from './fault.ts';

export const slowLinks: Fault = {
  name: 'slow links',
  kind: 'network',
  lastsMs: [2000, 5000],
  begin: async ({ cluster, random }) => {
    const delayMs = random.between(5, 150);
    for (const link of cluster.links.all) link.set('both', { delayMs, jitterMs: delayMs });
    return { what: `${delayMs} to ${2 * delayMs} ms`, end: async () => cluster.links.heal() };
  },
};
