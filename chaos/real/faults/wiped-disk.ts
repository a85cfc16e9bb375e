import { anyNode, type Fault } from './fault.ts';

/** A node comes back with an empty disk: as another voter, where it voted, and with no replica to its name. */
export const wipedDisk: Fault = {
  name: 'wiped disk',
  kind: 'disk',
  lastsMs: [100, 2000],
  endsNodes: true,
  destroys: true,
  begin: async (context) => {
    const node = anyNode(context);
    await node.kill();
    node.wipe();
    return { what: `node ${node.id}`, end: () => node.spawn() };
  },
};
