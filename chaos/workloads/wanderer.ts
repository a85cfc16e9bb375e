import { Reading, type TextConsumer } from './reading.ts';
import { together, type WorkloadContext, type WorkloadKind } from './workload.ts';

const LATE_MS_MAX = 30_000;
const POLL_RECORDS_MAX = 20;
const MOVE_CHANCE = 0.15;

/** Begins late, reads little at a time and slowly, and goes to another place of a partition now and then. */
export const wanderer: WorkloadKind = {
  name: 'wanderer',
  pausesMs: [0, 0, 500, 3000],
  start: (context) => {
    const { random, pauseMs } = context;
    return together([
      new Reading(context, {
        name: 'w0',
        afterMs: random.between(0, LATE_MS_MAX),
        pollRecordsMax: POLL_RECORDS_MAX,
        between: async (consumer, client) => {
          if (random.chance(MOVE_CHANCE)) move(context, consumer, client.processName);
          await client.sleep(random.exponential(pauseMs));
        },
      }),
    ]);
  },
};

function move({ random, recorder }: WorkloadContext, consumer: TextConsumer, reader: string): void {
  const to = random.pick(consumer.assignment());
  const partitions = [`${to.topic}-${to.partition}`];
  recorder.add({ type: 'reposition', reader, partitions });
  const where = random.between(0, 2);
  if (where === 0) consumer.seekToBeginning([to]);
  else if (where === 1) consumer.seekToEnd([to]);
  else consumer.seek({ ...to, offset: random.between(0, recorder.endOf(`${to.topic}-${to.partition}`)) });
}
