import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aTarget } from './target.ts';

/** Every other client reaches the target alone; the rest reaches all nodes but the target. */
export const splitClients = faultKind({
  kind: 'splitClients',
  weight: 1,
  params: fc.record({ target: aTarget, isOneWay: fc.boolean() }),
  strike: ({ target, isOneWay }, { cluster, workloads, world: { network }, resolve }) => {
    const { name } = resolve(target).machine;
    const others = cluster.nodes.map(({ machine }) => machine.name).filter((other) => other !== name);
    const cuts = workloads.machineNames.map(
      (client, index) => [client, index % 2 === 0 ? others : [name]] as const,
    );
    for (const [client, nodes] of cuts) {
      network.cutOneWay(nodes, client);
      if (!isOneWay) network.cutOneWay(client, nodes);
    }
    return () => {
      for (const [client, nodes] of cuts) network.heal(client, nodes);
    };
  },
});
