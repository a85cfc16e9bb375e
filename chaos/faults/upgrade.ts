import * as fc from 'fast-check';
import { faultKind, HELD_BACK } from './fault.ts';

/**
 * One more node of the older release stops, in order or not, and comes back as the newest. A run with this fault begins
 * with all nodes held back at the oldest version of the catalogue.
 */
export const upgrade = faultKind({
  kind: 'upgrade',
  weight: 3,
  params: fc.record({ how: fc.constantFrom('stop', 'process', 'power') }),
  strike: ({ how }, on) => {
    const old = on.cluster.nodes.filter(({ config }) => config.catalogueVersion !== undefined);
    if (old.length === 0) return HELD_BACK;
    const member = on.random.pick(old);
    const { incarnation } = member.machine;
    member.config = {};
    if (how === 'stop') on.cluster.stop(member);
    else on.cluster.kill(member, how);
    return () => {
      // It may take its time to stop, and others may have killed or started it meanwhile.
      if (member.machine.running && member.machine.incarnation === incarnation)
        on.cluster.kill(member, 'process');
      if (!member.machine.running) on.cluster.start(member);
    };
  },
});
