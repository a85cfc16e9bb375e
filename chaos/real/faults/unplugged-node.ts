import { type Fault, missingNamespaces, namespacesOf } from './fault.ts';

/** A leader's network cable is pulled, and plugged in again. */
export const unpluggedNode: Fault = {
  name: 'unplugged node',
  kind: 'network',
  lastsMs: [2000, 8000],
  missing: missingNamespaces,
  begin: async (context) => {
    const namespaces = namespacesOf(context);
    const node = await context.leader();
    namespaces.unplug(node.id);
    return { what: `node ${node.id}`, end: async () => namespaces.heal() };
  },
};
