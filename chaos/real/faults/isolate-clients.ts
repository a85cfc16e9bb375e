import type { Fault } from './fault.ts';

/** Nobody hears that the leader is gone: clients are cut off while it is killed, and find another when they are back. */
export const isolateClients: Fault = {
  name: 'isolate clients, then kill a leader',
  kind: 'network',
  lastsMs: [1000, 5000],
  endsNodes: true,
  begin: async ({ cluster, clients, leader }) => {
    for (const name of clients) cluster.links.isolate(name);
    const node = await leader();
    await node.kill();
    return {
      what: `node ${node.id}`,
      end: async () => {
        cluster.links.heal();
        await node.spawn();
      },
    };
  },
};
