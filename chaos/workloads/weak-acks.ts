import type { Send } from '../checker/history.ts';
import { Producing } from './producing.ts';
import { Reading } from './reading.ts';
import type { Naming } from './recorder.ts';
import { SideTopic } from './side-topic.ts';
import type { WorkloadContext, WorkloadKind } from './workload.ts';

const NAME = 'weak';

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
    context.recorder.isWritten(NAME, atItsPlace);
    const kept = new KeptByLeader(context);
    return new SideTopic(context, { name: NAME, partitions: 2, replicationFactor: 3 }, (topic) => [
      new Producing(context, {
        ...{ name: 'weak-1', topic, producer: { acks: 1 } },
        onSend: (send) => kept.onSend(send),
        record: (send) => kept.onAnswer(send),
      }),
      new Producing(context, { name: 'weak-0', topic, producer: { acks: 0 }, record: () => {} }),
      new Reading(context, { name: 'weak-r', topic }),
    ]);
  },
};

/** What was sent while one leader alone took itself for it, and acknowledged, has to be there if it leads to the end. */
class KeptByLeader {
  readonly #context: WorkloadContext;
  /** By sender and sequence. */
  readonly #sentIn = new Map<string, number>();

  constructor(context: WorkloadContext) {
    this.#context = context;
  }

  onSend(send: Omit<Send, 'outcome'>): void {
    const epoch = this.#onlyEpoch(partitionOf(send));
    if (epoch !== undefined) this.#sentIn.set(nameOf(send), epoch);
  }

  onAnswer(send: Send): void {
    const { offset, value, outcome } = send;
    const name = nameOf(send);
    const epoch = this.#sentIn.get(name);
    this.#sentIn.delete(name);
    if (outcome !== 'ok' || offset === undefined || epoch === undefined) return;
    const { recorder } = this.#context;
    // Retries of several batches in flight may swap them: each send is a process of its own.
    recorder.began(() => {
      if (this.#onlyEpoch(partitionOf(send)) === epoch)
        recorder.add({ ...send, process: name, value: `${value} at ${offset}` });
    });
  }

  /** The committed leader epoch, while nobody leads in an older one that does not know yet. */
  #onlyEpoch(partition: number): number | undefined {
    const { cluster, image } = this.#context;
    const { topicId = '', leaderEpoch } = image().topicByName(NAME)?.partitions[partition] ?? {};
    const leading = cluster.nodes.flatMap(({ node }) => {
      const led = node?.replicas.partition(topicId, partition)?.led;
      return led ? [led.core.leaderEpoch] : [];
    });
    return leading.length === 1 && leading[0] === leaderEpoch ? leaderEpoch : undefined;
  }
}

const partitionOf = ({ partition }: Omit<Send, 'outcome'>) => Number(partition.slice(NAME.length + 1));
const nameOf = ({ process, sequence }: Omit<Send, 'outcome'>) => `${process}#${sequence}`;
