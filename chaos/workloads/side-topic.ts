import { ClientError, KafkaError, type NewTopic } from '../../src/client/index.ts';
import { type Part, together, type Workload, type WorkloadContext, type WorkTopic } from './workload.ts';

const TIMEOUT_MS = 20_000;

/**
 * Clients with a topic of their own: it is created first, however long that takes, then they begin.
 *
 * @param parts Makes the clients of the topic.
 */
export class SideTopic implements Workload {
  readonly #name: string;
  #all: Workload | undefined;
  #isStopped = false;

  constructor(
    context: WorkloadContext,
    topic: NewTopic & { readonly partitions: number },
    parts: (topic: WorkTopic) => readonly Part[],
  ) {
    this.#name = topic.name;
    createTopic(context, topic).then(
      () => {
        if (!this.#isStopped) this.#all = together(parts({ name: topic.name, partitions: topic.partitions }));
      },
      (error: unknown) => context.recorder.unexpected.push(error as Error),
    );
  }

  get killable(): readonly { crash(): void }[] {
    return this.#all?.killable ?? [];
  }

  stop(): void {
    this.#isStopped = true;
    this.#all?.stop();
  }

  waitingFor(): string[] {
    if (this.#all || this.#isStopped) return this.#all?.waitingFor() ?? [];
    return [`the topic ${this.#name} waits to be created`];
  }
}

/** Tries until it is there. */
async function createTopic(context: WorkloadContext, topic: NewTopic): Promise<void> {
  const admin = context.machine(`${topic.name}-admin`).client().admin({ timeoutMs: TIMEOUT_MS });
  for (;;) {
    try {
      await admin.createTopic(topic);
      return;
    } catch (error) {
      if (error instanceof KafkaError && error.code === 'TOPIC_ALREADY_EXISTS') return;
      if (!(error instanceof KafkaError) && !(error instanceof ClientError)) throw error;
    }
  }
}
