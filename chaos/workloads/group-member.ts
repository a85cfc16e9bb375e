import type { Consumer, TopicPartition } from '../../src/client/index.ts';
import { ClientError, KafkaError, string } from '../../src/client/index.ts';
import type { Ownership } from '../checker/history.ts';
import type { Prng } from '../sim/prng.ts';
import type { ClientMachine } from './client-machine.ts';
import { pollAgain } from './poll-again.ts';
import type { Recorder } from './recorder.ts';
import type { WorkloadContext } from './workload.ts';

/** Between two commits of a member, on average, as a share of the time that its polls wait. */
const COMMIT_SHARE = 0.5;

const nameOf = ({ topic, partition }: TopicPartition) => `${topic}-${partition}`;

/** One member of the consumer group: reads, commits now and then, and commits what it is about to give up. */
export class GroupMember {
  readonly #client: ClientMachine;
  readonly name: string;
  readonly #group: string;
  readonly #recorder: Recorder;
  readonly #random: Prng;
  readonly #pollMs: number;
  readonly #nowMs: () => number;
  readonly #consumer: Consumer<Uint8Array, string>;
  /** Behind the last record that was handed out, of the partitions it owns. */
  readonly #positions = new Map<string, { readonly at: TopicPartition; readonly offset: number }>();
  readonly #left: Promise<void>;
  #isLeaving = false;
  #commitAtMs = 0;
  readonly #owned = new Map<string, TopicPartition>();

  constructor(
    { world, recorder, random, topic, pauseMs }: WorkloadContext,
    client: ClientMachine,
    group: string,
  ) {
    this.#client = client;
    this.#group = group;
    this.name = client.processName;
    this.#recorder = recorder;
    this.#random = random.fork(client.processName);
    this.#pollMs = pauseMs;
    this.#nowMs = () => world.nowMs;
    this.#consumer = client
      .client()
      .consumer({ group, value: string, autoOffsetReset: 'earliest', autoCommit: false });
    this.#left = this.#run(topic.name).catch((error: unknown) => {
      recorder.unexpected.push(error as Error);
    });
  }

  get owned(): string[] {
    return [...this.#owned.keys()];
  }

  get machineName(): string {
    return this.#client.machine.name;
  }

  /** Commits, gives up what it has, and leaves: resolves once it is gone, or was killed on its way. */
  async leave(): Promise<void> {
    this.#isLeaving = true;
    await this.#left;
  }

  /** Its process is killed. */
  crash(): void {
    this.#ownership('lost', [...this.#owned.values()]);
    this.#client.machine.processCrash();
  }

  async #run(topic: string): Promise<void> {
    this.#consumer.subscribe(topic, {
      onAssigned: (partitions) => this.#assigned(partitions),
      onRevoked: async (partitions) => {
        // Whoever leaves after it was cut off learns by this commit, if at all, that it owns nothing any more.
        const isOwner = (await this.#commit(partitions)) || !this.#isLeaving;
        this.#ownership(isOwner ? 'revoked' : 'lost', partitions);
      },
      onLost: (partitions) => this.#ownership('lost', partitions),
    });
    while (!this.#isLeaving) {
      const records = await pollAgain(this.#consumer, this.#pollMs);
      if (records.length === 0) continue;
      this.#recorder.add({
        type: 'poll',
        reader: this.name,
        records: records.map((record) => this.#recorder.seen(record)),
      });
      for (const { topic, partition, offset } of records) {
        const at = { topic, partition };
        this.#positions.set(nameOf(at), { at, offset: offset + 1 });
      }
      if (this.#nowMs() < this.#commitAtMs) continue;
      await this.#commit([...this.#owned.values()]);
      this.#commitAtMs = this.#nowMs() + this.#random.exponential(COMMIT_SHARE * this.#pollMs);
    }
    await this.#close();
  }

  async #close(): Promise<void> {
    try {
      await this.#consumer.close();
    } catch (error) {
      if (!(error instanceof KafkaError) && !(error instanceof ClientError)) throw error;
    }
  }

  #assigned(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#owned.set(nameOf(each), each);
    this.#recorder.add({ type: 'reposition', reader: this.name, partitions: partitions.map(nameOf) });
    this.#ownership('assigned', partitions);
  }

  #ownership(type: Ownership['type'], partitions: readonly TopicPartition[]): void {
    const names = partitions.map(nameOf);
    if (type !== 'assigned') {
      for (const name of names) {
        this.#owned.delete(name);
        this.#positions.delete(name);
      }
    }
    const generation = this.#consumer.groupMetadata()?.memberEpoch;
    this.#recorder.add({
      ...{ type, group: this.#group, member: this.name, partitions: names, at: this.#nowMs() },
      ...(type === 'assigned' && generation !== undefined && { generation }),
    });
  }

  /** Whether there was something to commit, and it is committed. */
  async #commit(partitions: readonly TopicPartition[]): Promise<boolean> {
    const offsets = partitions.flatMap((each) => {
      const position = this.#positions.get(nameOf(each));
      return position ? [{ ...position.at, offset: position.offset }] : [];
    });
    if (offsets.length === 0) return false;
    const startedAt = this.#nowMs();
    const record = (outcome: 'ok' | 'failed' | 'unknown') => {
      const common = { type: 'commit', group: this.#group, member: this.name, outcome } as const;
      for (const { offset, ...at } of offsets)
        this.#recorder.add({ ...common, partition: nameOf(at), offset, startedAt, endedAt: this.#nowMs() });
    };
    // If its process is killed meanwhile, nobody records how the commit ended.
    const isOver = this.#recorder.began(() => record('unknown'));
    try {
      await this.#consumer.commitSync(offsets);
      isOver();
      record('ok');
      return true;
    } catch (error) {
      isOver();
      if (!(error instanceof KafkaError) && !(error instanceof ClientError)) throw error;
      record('unknown');
      return false;
    }
  }
}
