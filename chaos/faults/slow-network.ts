import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

/** Every message takes longer. */
export const slowNetwork = faultKind({
  kind: 'slowNetwork',
  weight: 2,
  params: fc.record({
    latencyMs: fc.constantFrom<number[]>(5, 50, 400),
    jitterMs: fc.constantFrom<number[]>(0, 20, 200),
  }),
  strike: (conditions, { world: { network } }) => network.disturb(conditions),
});
