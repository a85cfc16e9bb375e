import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aLog, aTarget } from './target.ts';

/** Reads of one of the two logs fail for a while. */
export const failRead = faultKind({
  kind: 'failRead',
  weight: 1,
  params: fc.record({ target: aTarget, log: aLog, times: fc.constantFrom<number[]>(1, 4) }),
  strike: ({ target, log, times }, on) => {
    const end = on
      .resolve(target)
      .machine.disk.inject({ operation: 'read', code: 'EIO', path: `/${log}/`, times });
    return () => {
      end();
      on.restartAll();
    };
  },
});
