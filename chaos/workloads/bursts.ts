import { Producing } from './producing.ts';
import { together, type WorkloadKind } from './workload.ts';

/** The mean pause between two sends of a burst, and how many it has on average. */
const SEND_MS = 30;
const SENDS = 15;

/**
 * A producer of the main topic that rests, and then sends faster than the cluster can acknowledge: what strikes meanwhile finds
 * several batches in flight. The pause is how long it rests. All run long it would find no more, and cost five times as much as
 * all else.
 */
export const bursts: WorkloadKind = {
  name: 'bursts',
  pausesMs: [0, 4000, 4000, 12_000],
  start: (context) => {
    const { random, pauseMs } = context;
    const pause = () => random.exponential(random.chance(1 / SENDS) ? pauseMs : SEND_MS);
    return together([new Producing(context, { name: 'bursts-p', pause })]);
  },
};
