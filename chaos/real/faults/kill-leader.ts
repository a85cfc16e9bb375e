import type { Fault } from './fault.ts';

export const killLeader: Fault = {
  name: 'kill a leader',
  kind: 'process',
  lastsMs: [500, 4000],
  endsNodes: true,
  begin: async ({ leader }) => {
    const node = await leader();
    await node.kill();
    return { what: `node ${node.id}`, end: () => node.spawn() };
  },
};
