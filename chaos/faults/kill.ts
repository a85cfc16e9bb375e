import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';
import { aTarget } from './target.ts';

/** The process dies (or the power goes, and unsynced data with it) and starts again after a while. */
export const kill = faultKind({
  kind: 'kill',
  weight: 8,
  params: fc.record({ target: aTarget, how: fc.constantFrom('process', 'power') }),
  strike: ({ target, how }, on) => {
    const member = on.resolve(target);
    return member.machine.running ? on.kill(member, how) : HELD_BACK;
  },
});
