import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';
import { aTarget } from './target.ts';

/** A graceful stop, cut short by a kill when it takes too long, and a start after a while. */
export const stop = faultKind({
  kind: 'stop',
  weight: 3,
  params: fc.record({ target: aTarget }),
  strike: ({ target }, on) => {
    const member = on.resolve(target);
    if (!member.node) return HELD_BACK;
    const { incarnation } = member.machine;
    on.cluster.stop(member);
    return () => {
      if (member.machine.incarnation === incarnation) on.kill(member, 'process')();
    };
  },
});
