import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

/** Messages between nodes arrive twice: chance per message. */
export const repeatedMessages = faultKind({
  kind: 'repeatedMessages',
  weight: 1,
  params: fc.record({ duplicateRate: fc.constantFrom<number[]>(0.005, 0.025, 0.05) }),
  strike: (conditions, { world: { network } }) => network.disturb(conditions),
});
