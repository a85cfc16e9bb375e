import type { KafkaError } from '../../src/client/index.ts';
import { CreateTopics } from '../../src/protocol/messages/create-topics.ts';
import { DeleteTopics } from '../../src/protocol/messages/delete-topics.ts';
import { Metadata } from '../../src/protocol/messages/metadata.ts';
import { ZERO_UUID } from '../../src/protocol/uuid.ts';
import type { Outcome, TopicChange } from '../checker/history.ts';
import type { Prng } from '../sim/prng.ts';
import { Acting } from './acting.ts';
import type { ClientMachine } from './client-machine.ts';
import { errorIn, kafkaErrorOf, SingleRequests } from './single-requests.ts';
import type { Workload, WorkloadContext, WorkloadKind } from './workload.ts';

/** Few, so that two administrators meet. */
const NAMES = ['side-1', 'side-2', 'side-3'];
const ADMINISTRATORS = ['topics-1', 'topics-2'];
const ACTS_MAX = 2;
const PAUSE_MS_MAX = 40;
const TIMEOUT_MS = 2000;

/**
 * Two administrators at a time create, delete and describe the same topic beside the main one, by requests that are not
 * repeated. What they see must fit one order of all that they did.
 */
export const topics: WorkloadKind = {
  name: 'topics',
  pausesMs: [0, 2500, 10_000],
  start: (context) => new Topics(context),
};

class Topics implements Workload {
  readonly #context: WorkloadContext;
  readonly #administrators: readonly Administrator[];
  readonly #acting: Acting;

  constructor(context: WorkloadContext) {
    this.#context = context;
    const { random } = context;
    this.#administrators = ADMINISTRATORS.map((name) => new Administrator(context, context.machine(name)));
    this.#acting = new Acting(context, context.machine('topics'), async () => {
      const topic = random.pick(NAMES);
      await Promise.all(this.#administrators.map((each) => each.actOn(topic)));
    });
  }

  stop(): void {
    this.#acting.stop();
  }

  waitingFor(): string[] {
    return this.#acting.isActing ? ['the administrators of topics wait for an answer'] : [];
  }

  /** All brokers know the newest metadata now. */
  async lookAtTheEnd(): Promise<void> {
    const [administrator] = this.#administrators;
    for (const url of this.#context.cluster.bootstrap)
      for (const name of NAMES) await administrator?.describe(url, name, true);
  }
}

type Times = Pick<TopicChange, 'startedAt' | 'endedAt'>;

class Administrator {
  readonly #context: WorkloadContext;
  readonly #client: ClientMachine;
  readonly #random: Prng;
  readonly #requests: SingleRequests;

  constructor(context: WorkloadContext, client: ClientMachine) {
    this.#context = context;
    this.#client = client;
    this.#random = context.random.fork(client.machine.name);
    this.#requests = new SingleRequests(client);
  }

  async actOn(topic: string): Promise<void> {
    const { cluster } = this.#context;
    for (let acts = this.#random.between(1, ACTS_MAX); acts > 0; acts -= 1) {
      await this.#client.sleep(this.#random.between(0, PAUSE_MS_MAX));
      const url = this.#random.pick(cluster.bootstrap);
      const act = this.#random.pick(['create', 'create', 'delete', 'delete', 'describe']);
      if (act === 'create') await this.#create(url, topic);
      else if (act === 'delete') await this.#delete(url, topic);
      else await this.describe(url, topic, false);
    }
  }

  async describe(url: string, topic: string, isFinal: boolean): Promise<void> {
    const startedAt = this.#context.world.nowMs;
    const asked = { topics: [{ topicId: ZERO_UUID, name: topic }], allowAutoTopicCreation: false };
    const answer = await this.#requests.send(url, Metadata, asked).catch(kafkaErrorOf);
    if (answer instanceof Error) return;
    const [found] = answer.topics;
    const error = errorIn(found);
    if (error !== undefined && error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
    this.#context.recorder.add({
      ...{ type: 'describedTopic', process: this.#client.processName, topic, isFinal },
      ...{ startedAt, endedAt: this.#context.world.nowMs },
      ...(error === undefined && found ? { topicId: found.topicId } : {}),
    });
  }

  async #create(url: string, name: string): Promise<void> {
    const topic = { name, numPartitions: 1, replicationFactor: 2, assignments: [], configs: [] };
    const request = { topics: [topic], timeoutMs: TIMEOUT_MS, validateOnly: false };
    await this.#change('createTopic', name, async () => {
      const [answer] = (await this.#requests.send(url, CreateTopics, request)).topics;
      return { error: errorIn(answer), topicId: answer?.topicId };
    });
  }

  async #delete(url: string, name: string): Promise<void> {
    const request = { topics: [{ name, topicId: ZERO_UUID }], timeoutMs: TIMEOUT_MS };
    await this.#change('deleteTopic', name, async () => {
      const [answer] = (await this.#requests.send(url, DeleteTopics, request)).responses;
      return { error: errorIn(answer), topicId: answer?.topicId };
    });
  }

  async #change(
    type: TopicChange['type'],
    topic: string,
    send: () => Promise<{ error: KafkaError | undefined; topicId: string | undefined }>,
  ): Promise<void> {
    const { world, recorder } = this.#context;
    const startedAt = world.nowMs;
    const { error, topicId } = await send().catch((thrown: unknown) => ({
      ...{ error: kafkaErrorOf(thrown), topicId: undefined },
    }));
    const times: Times = { startedAt, endedAt: world.nowMs };
    const change = { type, process: this.#client.processName, topic, ...times };
    if (error === undefined) recorder.add({ ...change, outcome: 'ok', ...(topicId && { topicId }) });
    else recorder.add({ ...change, ...whatItMeans(error) });
  }
}

function whatItMeans({ code }: KafkaError): { outcome: Outcome; refusal?: 'exists' | 'missing' } {
  if (code === 'TOPIC_ALREADY_EXISTS') return { outcome: 'failed', refusal: 'exists' };
  if (code === 'UNKNOWN_TOPIC_OR_PARTITION') return { outcome: 'failed', refusal: 'missing' };
  // Too few brokers are alive, or the request was never sent.
  const isSure = code === 'INVALID_REPLICATION_FACTOR' || code === 'BROKER_NOT_AVAILABLE';
  return { outcome: isSure ? 'failed' : 'unknown' };
}
