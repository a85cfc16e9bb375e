import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

const rate = (max: number) => fc.integer({ min: 0, max: 4 }).map((quarters) => (quarters * max) / 4);

/** Connections break, messages are lost, repeated or overtake each other: chances per message. */
export const badNetwork = faultKind({
  kind: 'badNetwork',
  weight: 2,
  params: fc.record({
    resetRate: rate(0.02),
    lossRate: rate(0.02),
    reorderRate: rate(0.05),
    duplicateRate: rate(0.05),
  }),
  strike: (conditions, { world: { network } }) => network.disturb(conditions),
});
