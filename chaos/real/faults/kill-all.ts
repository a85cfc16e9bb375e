import type { Fault } from './fault.ts';

export const killAll: Fault = {
  name: 'kill all nodes at once',
  kind: 'process',
  lastsMs: [100, 2000],
  endsNodes: true,
  begin: async ({ cluster: { nodes } }) => {
    await Promise.all(nodes.map((node) => node.kill()));
    return {
      what: 'all nodes',
      end: async () => {
        await Promise.all(nodes.map((node) => node.spawn()));
      },
    };
  },
};
