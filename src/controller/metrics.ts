import type { Metric } from '../platform/ports.ts';

/** Counted, and told, by the active controller alone: add the nodes up. */
export const CONTROLLER_METRICS = {
  active: {
    name: 'odradek_controller_active',
    type: 'gauge',
    help: '1 on the active controller',
    worry: 'the sum over all nodes is not 1 for longer than an election takes',
  },
  brokers: {
    name: 'odradek_controller_brokers',
    type: 'gauge',
    labels: ['state'],
    help: 'Registered brokers, active or fenced; on the active controller',
    worry: 'there are any in state fenced',
  },
  topics: { name: 'odradek_controller_topics', type: 'gauge', help: 'Topics; on the active controller' },
  partitions: {
    name: 'odradek_controller_partitions',
    type: 'gauge',
    help: 'Partitions; on the active controller',
  },
  offline: {
    name: 'odradek_controller_partitions_offline',
    type: 'gauge',
    help: 'Partitions without a leader; on the active controller',
    worry: 'it is above 0: these can be neither written nor read',
  },
  pending: {
    name: 'odradek_controller_pending_requests',
    type: 'gauge',
    help: 'Decisions that wait to be committed; on the active controller',
    worry: 'it keeps growing',
  },
  catalogueLevel: {
    name: 'odradek_controller_catalogue_level',
    type: 'gauge',
    help: 'The version of the catalogue that every node can read; on the active controller',
    worry: 'it stays where it was after the last node was upgraded: one holds it back',
  },
  elections: {
    name: 'odradek_controller_leader_elections_total',
    type: 'counter',
    labels: ['kind'],
    help:
      'Elections of partition leaders: first (of a new partition), failover, preferred, same (again), unclean (may lose ' +
      'records), none (nobody is left who could lead)',
    worry: 'unclean or none grows, or failover while no node stops',
  },
  shrinks: {
    name: 'odradek_controller_isr_shrinks_total',
    type: 'counter',
    help: 'In-sync replica sets that lost a member',
    worry: 'it grows while no node stops: followers are too slow',
  },
  expansions: {
    name: 'odradek_controller_isr_expansions_total',
    type: 'counter',
    help: 'In-sync replica sets that gained a member',
  },
  fences: {
    name: 'odradek_controller_fences_total',
    type: 'counter',
    help: 'Brokers fenced: their session lapsed, or their process is gone',
    worry: 'it grows while no node stops',
  },
} satisfies Record<string, Metric>;
