import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aTarget } from './target.ts';

/** The next sync of the disk fails: the node must end itself (ATC'20). It starts again after a while. */
export const failSync = faultKind({
  kind: 'failSync',
  weight: 1,
  params: fc.record({ target: aTarget }),
  strike: ({ target }, on) => {
    on.resolve(target).machine.disk.inject({ operation: 'sync', code: 'EIO' });
    return () => on.restartAll();
  },
});
