import { nodeName } from '../nemesis/links.ts';
import type { Fault } from './fault.ts';

/** What one node says does not reach another; what that says does. */
export const cutOneWay: Fault = {
  name: 'one-way cut',
  kind: 'network',
  lastsMs: [1000, 6000],
  begin: async ({ cluster, random }) => {
    const [from, to] = random.shuffle(cluster.nodes).map(({ id }) => nodeName(id));
    if (from === undefined || to === undefined) throw new Error('there are less than two nodes');
    cluster.links.cutOneWay(from, to);
    return { what: `${from} to ${to}`, end: async () => cluster.links.heal() };
  },
};
