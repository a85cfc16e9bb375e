import { anyNode, type Fault } from './fault.ts';

/** Back at once: others may not even have noticed. */
export const killAny: Fault = {
  name: 'kill any node, back at once',
  kind: 'process',
  lastsMs: [0, 300],
  endsNodes: true,
  begin: async (context) => {
    const node = anyNode(context);
    await node.kill();
    return { what: `node ${node.id}`, end: () => node.spawn() };
  },
};
