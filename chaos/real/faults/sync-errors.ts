import { anyNode, type Fault } from './fault.ts';

/** A sync fails: the node must end, and come back as after an unclean stop. */
export const syncErrors: Fault = {
  name: 'sync errors',
  kind: 'disk',
  lastsMs: [1000, 4000],
  endsNodes: true,
  begin: async (context) => {
    const node = anyNode(context);
    node.setDisk([{ operation: 'sync', path: '.', chance: 0.05, error: 'EIO' }]);
    return { what: `node ${node.id}`, end: () => node.mendDisk() };
  },
};
