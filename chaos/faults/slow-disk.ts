import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aTarget } from './target.ts';

/** Syncs of one disk take long. */
export const slowDisk = faultKind({
  kind: 'slowDisk',
  weight: 2,
  params: fc.record({ target: aTarget, syncMs: fc.constantFrom<number[]>(20, 200, 800) }),
  strike: ({ target, syncMs }, on) => on.resolve(target).machine.disk.disturb({ syncMs }),
});
