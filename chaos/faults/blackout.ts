import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

/** All nodes lose power at once. */
export const blackout = faultKind({
  kind: 'blackout',
  weight: 1,
  params: fc.record({}),
  strike: (_, on) => {
    const restarts = on.cluster.nodes.map((member) => on.kill(member, 'power'));
    return () => {
      for (const restart of restarts) restart();
    };
  },
});
