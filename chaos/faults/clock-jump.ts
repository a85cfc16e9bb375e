import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aTarget } from './target.ts';

/** The wall clock of one machine is set an hour back or ahead. */
export const clockJump = faultKind({
  kind: 'clockJump',
  weight: 1,
  params: fc.record({ target: aTarget, jumpMs: fc.constantFrom<number[]>(-3_600_000, 3_600_000) }),
  strike: ({ target, jumpMs }, on) => {
    on.resolve(target).machine.wallOffsetMs += jumpMs;
    return undefined;
  },
});
