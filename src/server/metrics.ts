import type { Metric } from '../platform/ports.ts';

export const SERVER_METRICS = {
  ready: {
    name: 'odradek_ready',
    type: 'gauge',
    help: '1: the node serves; 0: it waits, and /readyz tells for what',
    worry: 'it stays 0',
  },
  controllerId: {
    name: 'odradek_controller_id',
    type: 'gauge',
    help: 'The active controller, as far as this node knows; -1: none',
    worry: 'nodes disagree, or it stays -1',
  },
  fenced: {
    name: 'odradek_broker_fenced',
    type: 'gauge',
    help: '1: this broker serves no partition, as its session with the controller lapsed or it just starts',
    worry: 'it stays 1',
  },
  groupLag: {
    name: 'odradek_group_lag_records',
    type: 'gauge',
    labels: ['group', 'topic', 'partition'],
    help: 'Records between the committed offset of a group and the high watermark; told by the leader of each partition',
    worry: 'it keeps growing',
  },
} satisfies Record<string, Metric>;
