import type { KafkaError } from '../../src/client/index.ts';
import { OffsetCommit } from '../../src/protocol/messages/offset-commit.ts';
import { OffsetFetch } from '../../src/protocol/messages/offset-fetch.ts';
import type { Outcome } from '../checker/history.ts';
import type { Prng } from '../sim/prng.ts';
import { Acting } from './acting.ts';
import type { ClientMachine } from './client-machine.ts';
import { errorIn, kafkaErrorOf, SingleRequests } from './single-requests.ts';
import type { Workload, WorkloadContext, WorkloadKind } from './workload.ts';

/** A group that never has members. */
const GROUP = 'nobody';
const PARTITIONS = 2;
const CLIENTS = ['offsets-1', 'offsets-2', 'offsets-3'];
const ACTS_MAX = 3;
const PAUSE_MS_MAX = 20;
/** How often a client asks any node rather than the one that coordinated last: it may be deposed and not know it. */
const STRAY_CHANCE = 0.2;

/**
 * Clients without membership set and fetch the committed offsets of the same partitions at the same time, by requests
 * that are not repeated. Each offset must behave like one register.
 */
export const offsets: WorkloadKind = {
  name: 'offsets',
  pausesMs: [0, 0, 2000, 5000],
  start: (context) => new Offsets(context),
};

class Offsets implements Workload {
  readonly #clients: readonly OffsetClient[];
  readonly #acting: Acting;

  constructor(context: WorkloadContext) {
    const { random } = context;
    let committed = 0;
    const next = () => ++committed;
    this.#clients = CLIENTS.map((name) => new OffsetClient(context, context.machine(name), next));
    this.#acting = new Acting(context, context.machine('offsets'), async () => {
      const partition = random.between(0, PARTITIONS - 1);
      await Promise.all(this.#clients.map((each) => each.actOn(partition)));
    });
  }

  stop(): void {
    this.#acting.stop();
  }

  waitingFor(): string[] {
    return this.#acting.isActing ? ['who sets offsets waits for an answer'] : [];
  }
}

class OffsetClient {
  readonly #context: WorkloadContext;
  readonly #client: ClientMachine;
  readonly #random: Prng;
  readonly #requests: SingleRequests;
  /** A number that nobody committed before. */
  readonly #next: () => number;
  #coordinator: string | undefined;

  constructor(context: WorkloadContext, client: ClientMachine, next: () => number) {
    this.#context = context;
    this.#client = client;
    this.#random = context.random.fork(client.machine.name);
    this.#requests = new SingleRequests(client);
    this.#next = next;
  }

  async actOn(partition: number): Promise<void> {
    const { topic, cluster, image } = this.#context;
    const topicId = image().topicByName(topic.name)?.id;
    if (topicId === undefined) return;
    for (let acts = this.#random.between(1, ACTS_MAX); acts > 0; acts -= 1) {
      await this.#client.sleep(this.#random.between(0, PAUSE_MS_MAX));
      const isStray = this.#coordinator === undefined || this.#random.chance(STRAY_CHANCE);
      const url = isStray ? this.#random.pick(cluster.bootstrap) : (this.#coordinator ?? '');
      const error = this.#random.chance(0.5)
        ? await this.#commit(url, topicId, partition)
        : await this.#fetch(url, topicId, partition);
      if (error === undefined) this.#coordinator = url;
      else if (this.#coordinator === url) this.#coordinator = undefined;
    }
  }

  async #commit(url: string, topicId: string, partitionIndex: number): Promise<KafkaError | undefined> {
    const offset = this.#next();
    const asked = {
      partitionIndex,
      committedOffset: offset,
      committedLeaderEpoch: -1,
      committedMetadata: null,
    };
    const request = {
      ...{ groupId: GROUP, generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null },
      topics: [{ topicId, partitions: [asked] }],
    };
    const startedAt = this.#context.world.nowMs;
    const error = await this.#requests
      .send(url, OffsetCommit, request)
      .then(({ topics }) => errorIn(topics[0]?.partitions[0]), kafkaErrorOf);
    // A coordinator that lost its place says so of commits, too, that it had appended.
    const outcome: Outcome =
      error === undefined ? 'ok' : error.code === 'BROKER_NOT_AVAILABLE' ? 'failed' : 'unknown';
    this.#context.recorder.add({
      ...{ type: 'commit', group: GROUP, member: this.#client.processName, isReset: true },
      ...{ partition: this.#nameOf(partitionIndex), offset, outcome },
      ...{ startedAt, endedAt: this.#context.world.nowMs },
    });
    return error;
  }

  async #fetch(url: string, topicId: string, partition: number): Promise<KafkaError | undefined> {
    const topics = [{ topicId, partitionIndexes: [partition] }];
    const group = { groupId: GROUP, memberId: null, memberEpoch: -1, topics };
    const startedAt = this.#context.world.nowMs;
    const answer = await this.#requests
      .send(url, OffsetFetch, { groups: [group], requireStable: true })
      .catch(kafkaErrorOf);
    if (answer instanceof Error) return answer;
    const [found] = answer.groups;
    const at = found?.topics[0]?.partitions[0];
    const error = errorIn(found) ?? errorIn(at);
    if (error !== undefined || at === undefined) return error;
    this.#context.recorder.add({
      ...{ type: 'fetchedOffset', group: GROUP, process: this.#client.processName },
      ...{ partition: this.#nameOf(partition), startedAt, endedAt: this.#context.world.nowMs },
      ...(at.committedOffset < 0 ? {} : { offset: at.committedOffset }),
    });
    return undefined;
  }

  #nameOf(partition: number): string {
    return `${this.#context.topic.name}-${partition}`;
  }
}
