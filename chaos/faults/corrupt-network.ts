import * as fc from 'fast-check';
import { faultKind } from './fault.ts';

/** Bytes of messages change on their way, as TCP's sixteen bits of checksum let pass now and then: a chance per message. */
export const corruptNetwork = faultKind({
  kind: 'corruptNetwork',
  weight: 1,
  params: fc.record({ corruptRate: fc.constantFrom<number[]>(0.001, 0.01, 0.1) }),
  strike: (conditions, { world: { network } }) => network.disturb(conditions),
});
