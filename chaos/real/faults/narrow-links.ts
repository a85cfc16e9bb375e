import { nodeName } from '../nemesis/links.ts';
import { anyNode, type Fault } from './fault.ts';

export const narrowLinks: Fault = {
  name: 'narrow links',
  kind: 'network',
  lastsMs: [2000, 5000],
  begin: async (context) => {
    const { cluster, random } = context;
    const node = anyNode(context);
    const bytesPerSecond = random.between(20_000, 500_000);
    const name = nodeName(node.id);
    for (const link of [...cluster.links.from(name), ...cluster.links.to(name)])
      link.set('both', { bytesPerSecond });
    return { what: `node ${node.id}, ${bytesPerSecond} bytes/s`, end: async () => cluster.links.heal() };
  },
};
