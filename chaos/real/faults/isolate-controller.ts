import { nodeName } from '../nemesis/links.ts';
import type { Fault } from './fault.ts';

/** The other nodes no longer hear the controller, nor does it hear them; clients reach it all the while. */
export const isolateController: Fault = {
  name: 'isolate the controller',
  kind: 'network',
  lastsMs: [2000, 8000],
  begin: async ({ cluster, controller }) => {
    const node = await controller();
    for (const { id } of cluster.nodes) {
      if (id !== node.id) cluster.links.cutBoth(nodeName(node.id), nodeName(id));
    }
    return { what: `node ${node.id}`, end: async () => cluster.links.heal() };
  },
};
