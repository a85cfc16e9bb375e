import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';
import { aTarget } from './target.ts';
import { isWhole } from './whole.ts';

/** A machine loses its disk, and comes back with an empty one: where nothing else lacks a copy of what was on it. */
export const wipeDisk = faultKind({
  kind: 'wipeDisk',
  weight: 2,
  params: fc.record({ target: aTarget }),
  strike: ({ target }, on) => {
    const member = on.resolve(target);
    if (!isWhole(on)) return HELD_BACK;
    on.cluster.wipe(member);
    return () => {
      if (!member.machine.running) on.cluster.start(member);
    };
  },
});
