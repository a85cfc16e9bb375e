import { type Fault, missingNamespaces, namespacesOf } from './fault.ts';
import { strangersInRing } from './ring.ts';

/** As the majority ring, but packets are lost: kernels back off, and go on long after it was healed, or not at all. */
export const packetsRing: Fault = {
  name: 'majority ring of packets',
  kind: 'network',
  lastsMs: [2000, 8000],
  missing: missingNamespaces,
  begin: async (context) => {
    const { cluster, random } = context;
    const namespaces = namespacesOf(context);
    const ring = random.shuffle(cluster.nodes).map(({ id }) => id);
    for (const [one, other] of strangersInRing(ring)) namespaces.cutBoth(one, other);
    return { what: ring.join(' - '), end: async () => namespaces.heal() };
  },
};
