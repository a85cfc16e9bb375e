import { anyNode, type Fault } from './fault.ts';

/** Some writes find no room, in any order: other than on a full volume, the next one may. */
export const noSpace: Fault = {
  name: 'no space for some writes',
  kind: 'disk',
  lastsMs: [1000, 4000],
  endsNodes: true,
  begin: async (context) => {
    const node = anyNode(context);
    node.setDisk([{ operation: 'write', path: '.', chance: 0.2, error: 'ENOSPC' }]);
    return { what: `node ${node.id}`, end: () => node.mendDisk() };
  },
};
