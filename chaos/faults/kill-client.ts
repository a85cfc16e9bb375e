import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';

/** A client's process is killed, and another takes its machine. */
export const killClient = faultKind({
  kind: 'killClient',
  weight: 2,
  params: fc.record({ client: fc.integer({ min: 0, max: 5 }) }),
  strike: ({ client }, { workloads: { killable } }) => {
    const killed = killable[client % Math.max(1, killable.length)];
    if (!killed) return HELD_BACK;
    killed.crash();
    return undefined;
  },
});
