import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';
import { aTarget } from './target.ts';

/** The active controller dies together with another broker, which the next one has never heard of (KAFKA-18138). */
export const killTogether = faultKind({
  kind: 'killTogether',
  weight: 1,
  params: fc.record({ target: aTarget, how: fc.constantFrom('process', 'power') }),
  strike: ({ target, how }, on) => {
    const victims = new Set([on.resolve({ who: 'controller' }), on.resolve(target)]);
    if (![...victims].every(({ machine }) => machine.running)) return HELD_BACK;
    const restarts = [...victims].map((member) => on.kill(member, how));
    return () => {
      for (const restart of restarts) restart();
    };
  },
});
