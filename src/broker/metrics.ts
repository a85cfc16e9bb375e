import type { Metric } from '../platform/ports.ts';

export const BROKER_METRICS = {
  refusals: {
    name: 'odradek_refusals_total',
    type: 'counter',
    labels: ['api', 'error'],
    help: 'Requests, or parts of them (a partition, a topic), that were refused',
    worry:
      'an error other than those of a leader change (NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH) keeps growing',
  },
} satisfies Record<string, Metric>;
