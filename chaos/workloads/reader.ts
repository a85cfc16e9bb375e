import { Reading } from './reading.ts';
import { together, type WorkloadKind } from './workload.ts';

/** Follows the main topic from the start on; the pause is how long a poll waits. */
export const reader: WorkloadKind = {
  name: 'reader',
  pausesMs: [0, 500, 2000, 2000],
  start: (context) => together([new Reading(context, { name: 'r0' })]),
};
