import fc from 'fast-check';
import { describe, test } from 'vitest';
import { ReplicationSim } from './support/replication-sim.ts';
import type { SimEvent } from './support/sim-vocabulary.ts';

const WEIGHTS: readonly (readonly [number, SimEvent['what']])[] = [
  [10, 'produce'],
  [8, 'sync'],
  [4, 'fetch'],
  [16, 'exchange'],
  [4, 'deliver'],
  [10, 'deliverFirst'],
  [2, 'repeat'],
  [2, 'drop'],
  [8, 'metadata'],
  [6, 'propose'],
  [3, 'time'],
  [1, 'crash'],
  [2, 'restart'],
  [1, 'fence'],
  [4, 'unfence'],
  [1, 'moveLeader'],
  [1, 'settle'],
];

const what = fc.oneof(...WEIGHTS.map(([weight, name]) => ({ weight, arbitrary: fc.constant(name) })));
const schedule = fc.array(fc.record({ what, pick: fc.nat(1000) }), {
  minLength: 20,
  maxLength: 250,
  size: 'max',
});

describe('replication cores under any schedule', () => {
  for (const [replicas, minInSyncReplicas] of [
    [2, 1],
    [3, 1],
    [3, 2],
    [4, 2],
  ] as const) {
    test(`${replicas} replicas, min.insync.replicas ${minInSyncReplicas}: invariants hold, and all converge`, () => {
      fc.assert(
        fc.property(schedule, (events) => {
          const sim = new ReplicationSim(replicas, minInSyncReplicas);
          for (const event of events) sim.run(event);
          sim.heal();
        }),
        { numRuns: 300 },
      );
    });
  }
});
