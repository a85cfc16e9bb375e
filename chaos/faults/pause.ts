import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';
import { aTarget } from './target.ts';

/** A node's process is frozen while its clocks go on. */
export const pause = faultKind({
  kind: 'pause',
  weight: 3,
  params: fc.record({ target: aTarget }),
  strike: ({ target }, on) => {
    const { machine } = on.resolve(target);
    if (!machine.running || machine.paused) return HELD_BACK;
    machine.pause();
    return () => {
      if (machine.paused) machine.resume();
    };
  },
});
