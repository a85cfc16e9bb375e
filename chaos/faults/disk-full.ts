import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';
import { aTarget } from './target.ts';

/** A disk has room for little more; a write that does not fit writes what fits. Later there is room again. */
export const diskFull = faultKind({
  kind: 'diskFull',
  weight: 2,
  params: fc.record({ target: aTarget, roomBytes: fc.constantFrom<number[]>(0, 700, 5000) }),
  strike: ({ target, roomBytes }, on) => {
    const { disk } = on.resolve(target).machine;
    if (disk.capacityBytes !== Number.POSITIVE_INFINITY) return HELD_BACK;
    disk.capacityBytes = disk.usedBytes + roomBytes;
    return () => {
      disk.capacityBytes = Number.POSITIVE_INFINITY;
      on.restartAll();
    };
  },
});
