import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aTarget } from './target.ts';

/** The target and the clients do not hear each other. */
export const cutClients = faultKind({
  kind: 'cutClients',
  weight: 1,
  params: fc.record({ target: aTarget }),
  strike: ({ target }, { workloads, world: { network }, resolve }) => {
    const { name } = resolve(target).machine;
    const clients = workloads.machineNames;
    network.cut(name, clients);
    return () => network.heal(name, clients);
  },
});
