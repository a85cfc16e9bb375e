import { Producing } from './producing.ts';
import { Reading } from './reading.ts';
import { SideTopic } from './side-topic.ts';
import type { WorkloadKind } from './workload.ts';

const LIMITS = [{ 'retention.bytes': '3000' }, { 'retention.ms': '5000', 'segment.ms': '2000' }] as const;

/** A topic whose records are deleted soon, by size or by age, while clients write and read it. */
export const retention: WorkloadKind = {
  name: 'retention',
  pausesMs: [0, 0, 0, 1500],
  start: (context) => {
    const limits = context.random.pick(LIMITS);
    const configs = { ...limits, 'segment.bytes': '1024', 'min.insync.replicas': '2' };
    return new SideTopic(
      context,
      { name: 'brief', partitions: 2, replicationFactor: 3, configs },
      (topic) => [
        new Producing(context, { name: 'brief-p', topic }),
        new Reading(context, { name: 'brief-r', topic, pollRecordsMax: 5 }),
      ],
    );
  },
};
