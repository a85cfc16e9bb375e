import type { Metric } from '../platform/ports.ts';

/** Of the active controller, which coordinates all groups. */
export const COORDINATOR_METRICS = {
  groups: { name: 'odradek_groups', type: 'gauge', help: 'Consumer groups; on the active controller' },
  members: {
    name: 'odradek_group_members',
    type: 'gauge',
    labels: ['group'],
    help: 'Members of each group; on the active controller',
  },
  rebalances: {
    name: 'odradek_group_rebalances_total',
    type: 'counter',
    help: 'Times that the partitions of a group were assigned anew',
    worry: 'it grows while no consumer starts or stops: members do not keep up with their heartbeats',
  },
  evictions: {
    name: 'odradek_group_evictions_total',
    type: 'counter',
    help: 'Members removed because they fell silent or kept a partition too long',
  },
} satisfies Record<string, Metric>;
