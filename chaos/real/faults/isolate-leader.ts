import { nodeName } from '../nemesis/links.ts';
import type { Fault } from './fault.ts';

/** A machine that nobody reaches, clients included. */
export const isolateLeader: Fault = {
  name: 'isolate a leader',
  kind: 'network',
  lastsMs: [2000, 8000],
  begin: async ({ cluster, leader }) => {
    const node = await leader();
    cluster.links.isolate(nodeName(node.id));
    return { what: `node ${node.id}`, end: async () => cluster.links.heal() };
  },
};
