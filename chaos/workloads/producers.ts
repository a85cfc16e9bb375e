import { Producing } from './producing.ts';
import { together, type WorkloadKind } from './workload.ts';

/** One producer gives up while faults last, the other outlives them. */
const DELIVERY_TIMEOUTS_MS = [8_000, 120_000];

/** Idempotent producers of the main topic, with several batches in flight. */
export const producers: WorkloadKind = {
  name: 'producers',
  pausesMs: [500, 1000, 1000, 2000],
  start: (context) =>
    together(
      DELIVERY_TIMEOUTS_MS.map(
        (deliveryTimeoutMs, index) =>
          new Producing(context, { name: `p${index}`, producer: { deliveryTimeoutMs } }),
      ),
    ),
};
