import * as fc from 'fast-check';
import { faultKind } from './fault.ts';
import { aLog, aTarget } from './target.ts';

/** The next writes to one of the two logs store a part of their bytes and fail, as on a disk that is full or breaks. */
export const shortWrite = faultKind({
  kind: 'shortWrite',
  weight: 1,
  params: fc.record({
    target: aTarget,
    log: aLog,
    code: fc.constantFrom('ENOSPC', 'EIO'),
    times: fc.constantFrom<number[]>(1, 3),
  }),
  strike: ({ target, log, code, times }, on) => {
    const { disk } = on.resolve(target).machine;
    const end = disk.inject({ operation: 'write', code, path: `/${log}/`, times, isShort: true });
    return () => {
      end();
      on.restartAll();
    };
  },
});
