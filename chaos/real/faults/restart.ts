import { anyNode, type Fault } from './fault.ts';

export const restart: Fault = {
  name: 'restart a node gracefully',
  kind: 'process',
  lastsMs: [100, 2000],
  endsNodes: true,
  begin: async (context) => {
    const node = anyNode(context);
    await node.stop();
    return { what: `node ${node.id}`, end: () => node.spawn() };
  },
};
