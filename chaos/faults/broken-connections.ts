import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

/** Connections break: chance per message. */
export const brokenConnections = faultKind({
  kind: 'brokenConnections',
  weight: 1,
  params: fc.record({ resetRate: fc.constantFrom<number[]>(0.002, 0.01, 0.02) }),
  strike: (conditions, { world: { network } }) => network.disturb(conditions),
});
