import type { Consumer, ConsumerRecord, PartitionOffset, TopicPartition } from '../../client/node.ts';
import { Departures } from './departures.ts';
import type { Flight } from './flights.ts';

/** What this needs of a consumer. */
export type FlightConsumer = Pick<
  Consumer<string, Flight>,
  'subscribe' | 'poll' | 'seek' | 'committed' | 'commitSync'
>;

interface Progress {
  readonly topic: string;
  readonly partition: number;
  readonly departures: Departures;
  nextOffset: number;
  leaderEpoch: number;
  committedOffset: number;
}

const COMMIT_INTERVAL_MS = 200;
const POLL_MS = 200;

/**
 * One member of the group. An offset and the result of all records before it are committed as one, the result in the
 * commit's metadata; whoever takes a partition over starts from both. So no record counts twice or never, whenever a
 * member dies.
 */
export class AirportConsumer {
  readonly #consumer: FlightConsumer;
  readonly #partitions = new Map<number, Progress>();
  #consumed = 0;
  #commit: Promise<void> | undefined;
  #committedMs = 0;

  constructor(consumer: FlightConsumer) {
    this.#consumer = consumer;
  }

  /** Records that this process counted. */
  get consumed(): number {
    return this.#consumed;
  }

  get partitions(): number[] {
    return [...this.#partitions.keys()];
  }

  /** Consumes until the signal fires. */
  async run(topic: string, signal: AbortSignal, onProgress: () => void): Promise<void> {
    this.#consumer.subscribe(topic, {
      onAssigned: (partitions) => this.#takeOver(partitions),
      onRevoked: (partitions) => this.#handOver(partitions),
      onLost: (partitions) => this.#forget(partitions),
    });
    while (!signal.aborted) {
      const records = await this.#consumer.poll(POLL_MS);
      for (const record of records) this.#count(record);
      if (performance.now() - this.#committedMs >= COMMIT_INTERVAL_MS) this.#commitInBackground();
      onProgress();
    }
    await this.#commitAll(this.partitions);
  }

  async #takeOver(partitions: readonly TopicPartition[]): Promise<void> {
    const committed = await this.#consumer.committed(partitions);
    partitions.forEach(({ topic, partition }, index) => {
      const { offset = 0, metadata = '', leaderEpoch = -1 } = committed[index] ?? {};
      this.#partitions.set(partition, {
        topic,
        partition,
        departures: Departures.fromText(metadata ?? ''),
        nextOffset: offset,
        leaderEpoch,
        committedOffset: offset,
      });
      this.#consumer.seek({ topic, partition, offset, leaderEpoch });
    });
  }

  /** Commits the last word on these partitions before another member gets them. */
  async #handOver(partitions: readonly TopicPartition[]): Promise<void> {
    await this.#commitAll(partitions.map(({ partition }) => partition));
    this.#forget(partitions);
  }

  async #commitAll(partitions: readonly number[]): Promise<void> {
    await this.#commit;
    const offsets = this.#offsets(partitions);
    if (offsets.length > 0) await this.#consumer.commitSync(offsets);
    this.#settle(offsets);
  }

  #settle(offsets: readonly PartitionOffset[]): void {
    for (const { partition, offset } of offsets) {
      const progress = this.#partitions.get(partition);
      if (progress) progress.committedOffset = offset;
    }
  }

  #forget(partitions: readonly TopicPartition[]): void {
    for (const { partition } of partitions) this.#partitions.delete(partition);
  }

  #count({ partition, offset, leaderEpoch, value }: ConsumerRecord<string, Flight>): void {
    const progress = this.#partitions.get(partition);
    if (!progress || !value) return;
    if (offset !== progress.nextOffset) {
      throw new Error(`partition ${partition}: expected offset ${progress.nextOffset}, got ${offset}`);
    }
    progress.departures.add(value.origin, value.delay);
    progress.nextOffset = offset + 1;
    progress.leaderEpoch = leaderEpoch;
    this.#consumed++;
  }

  /** One commit is under way at a time; the next poll does not wait for it. */
  #commitInBackground(): void {
    if (this.#commit) return;
    this.#committedMs = performance.now();
    const offsets = this.#offsets(this.partitions);
    if (offsets.length === 0) return;
    this.#commit = this.#consumer
      .commitSync(offsets)
      .then(() => this.#settle(offsets))
      // Nothing is lost: the next commit covers it, or the partition's next member repeats it.
      .catch(() => {})
      .finally(() => {
        this.#commit = undefined;
      });
  }

  /** Offset and result of each partition that has moved since its last commit. */
  #offsets(partitions: readonly number[]): PartitionOffset[] {
    return partitions.flatMap((partition) => {
      const progress = this.#partitions.get(partition);
      if (!progress || progress.nextOffset === progress.committedOffset) return [];
      const { topic, departures, nextOffset: offset, leaderEpoch } = progress;
      return [{ topic, partition, offset, leaderEpoch, metadata: departures.toText() }];
    });
  }
}
