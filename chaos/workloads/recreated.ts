import { ClientError, KafkaError } from '../../src/client/index.ts';
import type { Send } from '../checker/history.ts';
import { Acting } from './acting.ts';
import { Producing } from './producing.ts';
import { Reading, type TextConsumer } from './reading.ts';
import { together, type Workload, type WorkloadContext, type WorkloadKind } from './workload.ts';

const NAME = 'again';
const PARTITIONS = 2;
const SEND_MS = 1000;
/** How long there is no such topic, on average: not long, since all that its clients do is to ask for it. */
const MISSING_MS = 700;
/** The pause before a client that was thrown back looks again. */
const LOOK_AGAIN_MS = 1000;

/**
 * A topic is deleted and created anew, under the same name, while clients use it. Each life of it is a topic of its own
 * in the history: what was acknowledged in one is there to its end, and never in the next.
 */
export const recreated: WorkloadKind = {
  name: 'recreated',
  pausesMs: [0, 0, 0, 0, 8000],
  start: (context) => {
    const lives = new Lives(context);
    const topic = { name: NAME, partitions: PARTITIONS };
    return together([
      lives,
      new Producing(
        { ...context, pauseMs: SEND_MS },
        {
          ...{ name: 'again-p', topic },
          mayBeMissing: true,
          producer: { deliveryTimeoutMs: 15_000, maxBlockMs: 15_000 },
          partitionName: (partition) => lives.partitionName(partition),
          record: (send) => lives.record(send),
        },
      ),
      new Reading(
        { ...context, pauseMs: SEND_MS },
        {
          ...{ name: 'again-r', topic, isRecorded: false },
          onError: async (error, consumer, client) => {
            if (!(error instanceof KafkaError) && !(error instanceof ClientError)) throw error;
            await client.sleep(LOOK_AGAIN_MS);
            startOver(consumer);
          },
        },
      ),
    ]);
  },
};

/** Whatever a consumer of a topic that is gone is told, it goes on once told where. */
function startOver(consumer: TextConsumer): void {
  if (consumer.assignment().length > 0) consumer.seekToBeginning();
}

class Lives implements Workload {
  readonly #context: WorkloadContext;
  readonly #acting: Acting;
  #number = 0;
  /** Of the present life; undefined from the moment its end is asked for until the next is sure to have begun. */
  #topicId: string | undefined;

  constructor(context: WorkloadContext) {
    this.#context = context;
    const { recorder } = context;
    recorder.isWritten(NAME, ({ partition, offset, value }) => ({
      ...{ partition: this.partitionName(partition), offset, value: value ?? '' },
    }));
    // A request that was repeated may have ended the last life behind everybody's back.
    recorder.began(() => {
      if (context.image().topicByName(NAME)?.id !== this.#topicId) this.#forget();
    });
    const machine = context.machine('again-admin');
    const admin = machine.client().admin({ timeoutMs: 20_000 });
    const create = async () => {
      this.#number += 1;
      const configs = { 'min.insync.replicas': '2' };
      this.#topicId = await admin.createTopic({
        name: NAME,
        partitions: PARTITIONS,
        replicationFactor: 3,
        configs,
      });
    };
    this.#acting = new Acting(context, machine, async () => {
      if (this.#topicId !== undefined) {
        this.#forget();
        this.#topicId = undefined;
        await admin.deleteTopics([NAME]);
        await machine.sleep(context.random.exponential(MISSING_MS));
      }
      await create();
    });
  }

  /** As the history calls it. */
  partitionName(partition: number): string {
    const life = this.#topicId === undefined ? 'unknown' : this.#number;
    return `${NAME}@${life}-${partition}`;
  }

  /** Only what surely happened within one life tells anything. */
  record(send: Send): void {
    const partition = Number(send.partition.slice(send.partition.lastIndexOf('-') + 1));
    if (this.#topicId === undefined || send.partition !== this.partitionName(partition)) return;
    this.#context.recorder.add(send);
  }

  stop(): void {
    this.#acting.stop();
  }

  waitingFor(): string[] {
    return this.#acting.isActing ? [`who creates and deletes ${NAME} waits for an answer`] : [];
  }

  /** Nothing of this life has to be there any more. */
  #forget(): void {
    for (let index = 0; index < PARTITIONS; index += 1) {
      const partition = `${NAME}@${this.#number}-${index}`;
      this.#context.recorder.add({ type: 'logStart', partition, offset: Number.MAX_SAFE_INTEGER });
    }
  }
}
