import { Producing } from './producing.ts';
import { Reading } from './reading.ts';
import { SideTopic } from './side-topic.ts';
import type { WorkloadKind } from './workload.ts';

/** A topic of many partitions. */
export const wide: WorkloadKind = {
  name: 'wide',
  pausesMs: [0, 0, 0, 0, 3000],
  start: (context) =>
    new SideTopic(context, { name: 'wide', partitions: 20, replicationFactor: 3 }, (topic) => [
      new Producing(context, { name: 'wide-p', topic, burstMax: 20 }),
      new Reading(context, { name: 'wide-r', topic }),
    ]),
};
