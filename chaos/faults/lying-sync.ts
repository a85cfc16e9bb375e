import * as fc from 'fast-check';
import { MEET_MS } from './damaged-file.ts';
import { faultKind, HELD_BACK } from './fault.ts';
import { aLog, aTarget } from './target.ts';
import { hasQuorumWithout, isWhole } from './whole.ts';

/**
 * Syncs of one disk report success and do nothing, until the power fails there: what it had promised is gone, wholly or in
 * part, and it does not know. No log survives that on a majority, or on the last that has everything; so it comes to light
 * only where all others have what this one had, and is made good otherwise.
 */
export const lyingSync = faultKind({
  kind: 'lyingSync',
  weight: 2,
  params: fc.record({ target: aTarget, log: aLog, downMs: fc.integer({ min: 1, max: 1500 }) }),
  strike: ({ target, log, downMs }, on) => {
    const member = on.resolve(target);
    if (!isWhole(on)) return HELD_BACK;
    const lie = member.machine.disk.lie(`/${log}/`);
    return () => {
      if (!isWhole(on) || !hasQuorumWithout(member, on)) return lie.end();
      const isOver = lie.expose();
      on.coverage.note('situation', 'sync that lied came to light');
      const start = on.kill(member, 'power');
      on.world.schedule(downMs, 'power is back', start);
      on.world.schedule(downMs + MEET_MS, 'end of the lie', isOver);
    };
  },
});
