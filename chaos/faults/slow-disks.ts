import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

/** Syncs of all disks take long, so that every decision of the controller does: nobody must be fenced for it (KAFKA-15019). */
export const slowDisks = faultKind({
  kind: 'slowDisks',
  weight: 1,
  params: fc.record({ syncMs: fc.constantFrom<number[]>(50, 400, 1500) }),
  strike: ({ syncMs }, on) => {
    const ends = on.cluster.nodes.map(({ machine }) => machine.disk.disturb({ syncMs }));
    return () => {
      for (const end of ends) end();
    };
  },
});
