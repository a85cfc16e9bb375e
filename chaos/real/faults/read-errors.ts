import { anyNode, type Fault } from './fault.ts';

/** A read fails: the node may end, or refuse that one request; it must not invent anything. */
export const readErrors: Fault = {
  name: 'read errors',
  kind: 'disk',
  lastsMs: [1000, 4000],
  endsNodes: true,
  begin: async (context) => {
    const node = anyNode(context);
    node.setDisk([{ operation: 'read', path: '.', chance: 0.2, error: 'EIO' }]);
    return { what: `node ${node.id}`, end: () => node.mendDisk() };
  },
};
