import type { Fault } from './fault.ts';

export const slowSyncs: Fault = {
  name: 'slow syncs',
  kind: 'disk',
  lastsMs: [2000, 5000],
  begin: async ({ leader, random }) => {
    const node = await leader();
    const delayMs = random.between(50, 1500);
    node.setDisk([{ operation: 'sync', path: '.', chance: 0.5, delayMs }]);
    return { what: `node ${node.id}, ${delayMs} ms`, end: async () => node.setDisk([]) };
  },
};
