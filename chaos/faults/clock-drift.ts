import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aTarget } from './target.ts';

/** The clocks of one machine run fast or slow. */
export const clockDrift = faultKind({
  kind: 'clockDrift',
  weight: 1,
  params: fc.record({ target: aTarget, rate: fc.constantFrom<number[]>(0.9, 1.1) }),
  strike: ({ target, rate }, on) => {
    const { machine } = on.resolve(target);
    machine.drift(rate);
    return () => machine.drift(1);
  },
});
