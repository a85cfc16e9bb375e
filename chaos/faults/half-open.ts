import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';
import { aTarget } from './target.ts';

/** One side of all connections of a node loses them without a word, as behind a firewall that forgot: the other sends on. */
export const halfOpen = faultKind({
  kind: 'halfOpen',
  weight: 2,
  params: fc.record({
    target: aTarget,
    peers: fc.constantFrom('nodes', 'clients'),
    isForgetting: fc.boolean(),
  }),
  strike: ({ target, peers, isForgetting }, { cluster, workloads, world: { network }, resolve }) => {
    const { name } = resolve(target).machine;
    const others =
      peers === 'clients' ? workloads.machineNames : cluster.nodes.map(({ machine }) => machine.name);
    let count = 0;
    for (const other of others) {
      if (other === name) continue;
      count += isForgetting ? network.forgetOneSide(name, other) : network.forgetOneSide(other, name);
    }
    return count === 0 ? HELD_BACK : undefined;
  },
});
