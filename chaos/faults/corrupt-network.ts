import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';

/** From this catalogue level on all nodes have a checksum in each message. */
const CHECKED_SINCE = 3;

/** Bytes of messages change on their way, as TCP's sixteen bits of checksum let pass now and then: a chance per message. */
export const corruptNetwork = faultKind({
  kind: 'corruptNetwork',
  weight: 1,
  params: fc.record({ corruptRate: fc.constantFrom<number[]>(0.001, 0.01, 0.1) }),
  strike: (conditions, on) =>
    on.image().catalogueLevel < CHECKED_SINCE ? HELD_BACK : on.world.network.disturb(conditions),
});
