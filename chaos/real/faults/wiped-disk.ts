import type { Fault } from './fault.ts';
import { nodeToDamage } from './stored-files.ts';

/** A node comes back with an empty disk: as another voter, where it voted, and with no replica to its name. */
export const wipedDisk: Fault = {
  name: 'wiped disk',
  kind: 'disk',
  lastsMs: [100, 2000],
  endsNodes: true,
  destroys: true,
  begin: async (context) => {
    const node = nodeToDamage(context);
    await node.kill();
    node.wipe();
    return { what: `node ${node.id}`, end: () => node.spawn() };
  },
};
