import type { Consumer, Odradek, TopicPartition } from '../../../src/client/node.ts';
import { ClientError, KafkaError, string } from '../../../src/client/node.ts';
import type { Ownership } from '../../checker/history.ts';
import type { Prng } from '../../sim/prng.ts';
import { pollAgain } from '../../workloads/poll-again.ts';
import { type ClientContext, nameOf } from './context.ts';
import { seenRecord } from './real-reader.ts';

const POLL_MS = 500;
const COMMIT_CHANCE = 0.2;
export const GROUP = 'readers';

/** One member of the consumer group: reads, commits now and then, and commits what it is about to give up. */
export class RealMember {
  readonly #name: string;
  readonly #context: ClientContext;
  readonly #random: Prng;
  readonly #consumer: Consumer<Uint8Array, string>;
  readonly #loop: Promise<void>;
  /** Behind the last record that was handed out, of the partitions it owns. */
  readonly #positions = new Map<string, { readonly at: TopicPartition; readonly offset: number }>();
  readonly #owned = new Map<string, TopicPartition>();
  #isStopped = false;
  #doing = 'starting';
  #sinceMs = performance.now();

  constructor(name: string, client: Odradek, context: ClientContext) {
    this.#name = name;
    this.#context = context;
    this.#random = context.random.fork(name);
    this.#consumer = client.consumer({
      group: GROUP,
      value: string,
      autoOffsetReset: 'earliest',
      autoCommit: false,
    });
    this.#loop = this.#run().catch((error: unknown) => {
      context.recorder.unexpected.push(error as Error);
    });
  }

  /** What it owns, what it is doing, and since when, for people. */
  get state(): string {
    const forMs = (performance.now() - this.#sinceMs).toFixed(0);
    return `member ${this.#name} owns ${this.owned.join(', ') || 'nothing'}, and is ${this.#doing} for ${forMs} ms`;
  }

  get owned(): string[] {
    return [...this.#owned.keys()];
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#loop;
  }

  async #run(): Promise<void> {
    this.#consumer.subscribe(this.#context.topic, {
      onAssigned: (partitions) => this.#assigned(partitions),
      onRevoked: async (partitions) => {
        await this.#commit(partitions);
        this.#ownership('revoked', partitions);
      },
      onLost: (partitions) => this.#ownership('lost', partitions),
    });
    while (!this.#isStopped) {
      this.#does('polling');
      const records = await pollAgain(this.#consumer, POLL_MS);
      if (records.length === 0) continue;
      this.#context.recorder.add({ type: 'poll', reader: this.#name, records: records.map(seenRecord) });
      for (const { topic, partition, offset } of records) {
        const at = { topic, partition };
        this.#positions.set(nameOf(at), { at, offset: offset + 1 });
      }
      if (this.#random.chance(COMMIT_CHANCE)) await this.#commit([...this.#owned.values()]);
    }
  }

  #does(what: string): void {
    this.#doing = what;
    this.#sinceMs = performance.now();
  }

  #assigned(partitions: readonly TopicPartition[]): void {
    for (const each of partitions) this.#owned.set(nameOf(each), each);
    const names = partitions.map(nameOf);
    this.#context.recorder.add({ type: 'reposition', reader: this.#name, partitions: names });
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
    const at = performance.now();
    this.#context.recorder.add({ type, group: GROUP, member: this.#name, partitions: names, at });
  }

  async #commit(partitions: readonly TopicPartition[]): Promise<void> {
    const offsets = partitions.flatMap((each) => {
      const position = this.#positions.get(nameOf(each));
      return position ? [{ ...position.at, offset: position.offset }] : [];
    });
    if (offsets.length === 0) return;
    const startedAt = performance.now();
    this.#does('committing');
    const record = (outcome: 'ok' | 'unknown') => {
      const common = { type: 'commit', group: GROUP, member: this.#name, outcome } as const;
      for (const { offset, ...at } of offsets)
        this.#context.recorder.add({
          ...common,
          partition: nameOf(at),
          offset,
          startedAt,
          endedAt: performance.now(),
        });
    };
    try {
      await this.#consumer.commitSync(offsets);
      record('ok');
    } catch (error) {
      if (!(error instanceof KafkaError) && !(error instanceof ClientError)) throw error;
      record('unknown');
    }
  }
}
