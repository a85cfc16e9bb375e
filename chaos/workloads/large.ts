import { Producing } from './producing.ts';
import { Reading } from './reading.ts';
import { SideTopic } from './side-topic.ts';
import type { WorkloadKind } from './workload.ts';

const MESSAGE_BYTES_MAX = 20_000;
/** What a batch, a record and its name in the history take beside the padding. */
const OVERHEAD_BYTES = 120;

/** Records about as large as the topic takes, some larger, so that batches are split (KIP-126) or refused. */
export const large: WorkloadKind = {
  name: 'large',
  pausesMs: [0, 0, 0, 0, 5000],
  start: (context) => {
    const configs = {
      'max.message.bytes': `${MESSAGE_BYTES_MAX}`,
      'segment.bytes': '65536',
      'min.insync.replicas': '2',
    };
    return new SideTopic(
      context,
      { name: 'large', partitions: 2, replicationFactor: 3, configs },
      (topic) => [
        new Producing(context, {
          name: 'large-p',
          topic,
          burstMax: 4,
          producer: { batchBytes: 3 * MESSAGE_BYTES_MAX },
          paddingBytes: (random) =>
            random.pick([
              0,
              MESSAGE_BYTES_MAX / 3,
              MESSAGE_BYTES_MAX - OVERHEAD_BYTES,
              MESSAGE_BYTES_MAX + 1,
            ]),
        }),
        new Reading(context, { name: 'large-r', topic }),
      ],
    );
  },
};
