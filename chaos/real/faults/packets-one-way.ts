import { type Fault, missingNamespaces, namespacesOf } from './fault.ts';

/** What one node sends to another is lost on the way, acknowledgements of TCP included. */
export const packetsOneWay: Fault = {
  name: 'one-way loss of packets',
  kind: 'network',
  lastsMs: [1000, 6000],
  missing: missingNamespaces,
  begin: async (context) => {
    const { cluster, random } = context;
    const namespaces = namespacesOf(context);
    const [from, to] = random.shuffle(cluster.nodes).map(({ id }) => id);
    if (from === undefined || to === undefined) throw new Error('there are less than two nodes');
    namespaces.cutOneWay(from, to);
    return { what: `node ${from} to node ${to}`, end: async () => namespaces.heal() };
  },
};
