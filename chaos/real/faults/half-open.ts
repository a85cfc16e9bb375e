import { nodeName } from '../nemesis/links.ts';
import { anyNode, type Fault, nothing } from './fault.ts';

/** Every connection of a node swallows what it is given, for ever; new ones work. */
export const halfOpen: Fault = {
  name: 'half-open connections',
  kind: 'network',
  lastsMs: [2000, 5000],
  begin: async (context) => {
    const { links } = context.cluster;
    const node = anyNode(context);
    const name = nodeName(node.id);
    for (const link of [...links.from(name), ...links.to(name)]) link.halfOpen();
    return { what: `node ${node.id}`, end: nothing };
  },
};
