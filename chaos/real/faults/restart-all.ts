import type { Fault } from './fault.ts';

export const restartAll: Fault = {
  name: 'stop all nodes at once',
  kind: 'process',
  lastsMs: [100, 1000],
  endsNodes: true,
  begin: async ({ cluster: { nodes } }) => {
    await Promise.all(nodes.map((node) => node.stop()));
    return {
      what: 'all nodes',
      end: async () => {
        await Promise.all(nodes.map((node) => node.spawn()));
      },
    };
  },
};
