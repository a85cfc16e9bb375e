import { anyNode, type Fault } from './fault.ts';

/** A write fails: the node must end, and come back as after an unclean stop. */
export const writeErrors: Fault = {
  name: 'write errors',
  kind: 'disk',
  lastsMs: [1000, 4000],
  endsNodes: true,
  begin: async (context) => {
    const node = anyNode(context);
    node.setDisk([{ operation: 'write', path: '.', chance: 0.05, error: 'EIO' }]);
    return { what: `node ${node.id}`, end: () => node.mendDisk() };
  },
};
