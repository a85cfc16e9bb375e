import type { Send } from '../checker/history.ts';
import { Producing } from './producing.ts';
import { Reading } from './reading.ts';
import type { Naming } from './recorder.ts';
import { SideTopic } from './side-topic.ts';
import type { WorkloadContext, WorkloadKind, WorkTopic } from './workload.ts';

/** These producers are not idempotent, so a value may be written twice: each place counts as a value of its own. */
const atItsPlace: Naming = ({ topic, partition, offset, value }) => ({
  partition: `${topic}-${partition}`,
  offset,
  value: `${value} at ${offset}`,
});

/**
 * Producers that wait for the leader only, or for nobody. What they sent may be lost in a fail-over, and by acks=0 on the
 * way; what a leader acknowledged must be there if it leads in the same epoch still.
 */
export const weakAcks: WorkloadKind = {
  name: 'weakAcks',
  pausesMs: [0, 0, 0, 2000],
  start: (context) => {
    context.recorder.isWritten('weak', atItsPlace);
    return new SideTopic(context, { name: 'weak', partitions: 2, replicationFactor: 3 }, (topic) => [
      new Producing(context, {
        name: 'weak-1',
        topic,
        producer: { acks: 1 },
        record: (send) => acknowledgedByLeader(context, topic, send),
      }),
      new Producing(context, { name: 'weak-0', topic, producer: { acks: 0 }, record: () => {} }),
      new Reading(context, { name: 'weak-r', topic }),
    ]);
  },
};

function acknowledgedByLeader({ image, recorder }: WorkloadContext, { name }: WorkTopic, send: Send): void {
  const { offset, value, sequence, outcome } = send;
  if (outcome !== 'ok' || offset === undefined) return;
  const epoch = () => {
    const partition = Number(send.partition.slice(name.length + 1));
    return image().topicByName(name)?.partitions[partition]?.leaderEpoch;
  };
  const since = epoch();
  // Retries of several batches in flight may swap them: each send is a process of its own.
  const process = `${send.process}#${sequence}`;
  recorder.began(() => {
    if (epoch() === since) recorder.add({ ...send, process, value: `${value} at ${offset}` });
  });
}
