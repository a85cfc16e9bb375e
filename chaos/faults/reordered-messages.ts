import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

/** Messages overtake others of their connection: chance per message. */
export const reorderedMessages = faultKind({
  kind: 'reorderedMessages',
  weight: 1,
  params: fc.record({ reorderRate: fc.constantFrom<number[]>(0.005, 0.025, 0.05) }),
  strike: (conditions, { world: { network } }) => network.disturb(conditions),
});
