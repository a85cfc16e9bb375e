import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aTarget } from './target.ts';

/** Clients, or the other nodes, read nothing of what the target sends them: its buffers fill. */
export const slowReader = faultKind({
  kind: 'slowReader',
  weight: 1,
  params: fc.record({ target: aTarget, readers: fc.constantFrom('nodes', 'clients') }),
  strike: ({ target, readers }, { cluster, workloads, world: { network }, resolve }) => {
    const { name } = resolve(target).machine;
    const nodes = cluster.nodes.map(({ machine }) => machine.name).filter((other) => other !== name);
    return network.stall(name, readers === 'clients' ? workloads.machineNames : nodes);
  },
});
