import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';
import { aTarget } from './target.ts';

const TORN = { kept: 0, torn: 1 };

/** The power fails amid writes: of all that was not synced, parts are on the platter, later ones without earlier ones. */
export const tornWrites = faultKind({
  kind: 'tornWrites',
  weight: 2,
  params: fc.record({ target: aTarget }),
  strike: ({ target }, on) => {
    const member = on.resolve(target);
    if (!member.machine.running) return HELD_BACK;
    const { disk } = member.machine;
    const { survival } = disk;
    disk.survival = TORN;
    const start = on.kill(member, 'power');
    disk.survival = survival;
    return start;
  },
});
