import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aLog, aTarget } from './target.ts';

/** The next write to one of the two logs fails: the node must end itself. It starts again after a while. */
export const failWrite = faultKind({
  kind: 'failWrite',
  weight: 1,
  params: fc.record({ target: aTarget, log: aLog }),
  strike: ({ target, log }, on) => {
    const end = on.resolve(target).machine.disk.inject({ operation: 'write', code: 'EIO', path: `/${log}/` });
    return () => {
      end();
      on.restartAll();
    };
  },
});
