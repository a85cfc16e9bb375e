import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

/** Messages vanish although their connection stays: chance per message. */
export const lostMessages = faultKind({
  kind: 'lostMessages',
  weight: 1,
  params: fc.record({ lossRate: fc.constantFrom<number[]>(0.002, 0.01, 0.02) }),
  strike: (conditions, { world: { network } }) => network.disturb(conditions),
});
