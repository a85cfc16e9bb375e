/**
 * The consumer: a shell around `group-member.ts` and `fetch-positions.ts`. Heartbeats and fetches go on by themselves;
 * what changes the application's view (partitions granted and revoked, positions, errors) happens only within
 * `poll`, or between two records of `for await`.
 *
 * Coming back for more says that what was handed out before is done with: that is what automatic commits commit.
 */

import { type Abortable, abortable } from './aborting.ts';
import { ChangeSignal } from './change-signal.ts';
import type { ClientEvents } from './client-events.ts';
import type { Cluster } from './cluster.ts';
import { ConsumerCommits } from './consumer-commits.ts';
import {
  type ConsumerOptions,
  type ConsumerRecord,
  type ConsumerSettings,
  consumerSettings,
  type GroupMetadata,
  type PartitionOffset,
  type RebalanceListener,
  type TopicPartition,
} from './consumer-options.ts';
import { ConsumerStats, type ConsumerWatch } from './consumer-stats.ts';
import { Emitter } from './emitter.ts';
import { ClientError, closedError } from './errors.ts';
import { FetchPositions, keyOf, type PartitionState } from './fetch-positions.ts';
import { Fetcher } from './fetcher.ts';
import { GroupMembership } from './group-membership.ts';
import { knownPartition } from './known-partition.ts';
import { type Holdings, letGo } from './letting-go.ts';
import type { ConsumerMetrics } from './metrics.ts';
import type { CommitIdentity } from './offset-committer.ts';
import { type OffsetAndTimestamp, OffsetLookups } from './offset-lookups.ts';
import { OffsetResolver } from './offset-resolver.ts';
import { type ConsumerMode, RecordLoop } from './record-loop.ts';
import { RecordReader } from './record-reader.ts';
import { Alarm, abortedError } from './rpc.ts';
import { bytes as bytesSerde, type Deserializer } from './serde.ts';

/** What `poll` takes beside its time. */
export type PollOptions = Abortable;

const placeOf = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition });

const NO_MEMBER: CommitIdentity = { memberId: '', epoch: -1, instanceId: null };

/**
 * Reads records, as a member of a group (`subscribe`) or on its own (`assign`). Made by `client.consumer()`:
 *     const consumer = client.consumer({ group: 'readers', value: json<Order>(), autoOffsetReset: 'earliest' });
 *     consumer.subscribe('orders');
 *     for await (const { key, value, offset } of consumer) await handle(value);
 *
 * After `close` every call fails with `CLOSED`; where a partition is not assigned, with `INVALID_STATE`.
 */
export class Consumer<K = Uint8Array, V = Uint8Array> implements AsyncIterable<ConsumerRecord<K, V>> {
  readonly #cluster: Cluster;
  readonly #settings: ConsumerSettings;
  readonly #positions: FetchPositions;
  readonly #watch: ConsumerWatch;
  readonly #lookups: OffsetLookups;
  readonly #fetcher: Fetcher;
  readonly #resolver: OffsetResolver;
  readonly #loop: RecordLoop<K, V>;
  readonly #commits: ConsumerCommits;
  readonly #changes: ChangeSignal;
  readonly #workAlarm: Alarm;
  readonly #stopListening: () => void;
  #mode: ConsumerMode = 'none';
  #membership: GroupMembership | undefined;
  #closing: Promise<void> | undefined;

  constructor(cluster: Cluster, options: ConsumerOptions<K, V>) {
    this.#cluster = cluster;
    this.#settings = consumerSettings(options);
    const { group, autoOffsetReset, limits, rackId } = this.#settings;
    const onChange = () => this.#onChange();
    this.#watch = { events: new Emitter(cluster.runtime.logger, cluster.events), stats: new ConsumerStats() };
    this.#positions = new FetchPositions(autoOffsetReset);
    this.#lookups = new OffsetLookups(cluster, group);
    this.#fetcher = new Fetcher(cluster, this.#positions, this.#watch, limits, rackId, onChange);
    this.#resolver = new OffsetResolver(
      cluster,
      this.#positions,
      this.#watch,
      group,
      () => this.#membership?.member,
      onChange,
    );
    // The type of the options lets a deserializer be left out only where bytes will do.
    const key = options.key ?? (bytesSerde as Deserializer<unknown> as Deserializer<K>);
    const value = options.value ?? (bytesSerde as Deserializer<unknown> as Deserializer<V>);
    const reader = new RecordReader(this.#positions, key, value, this.#watch.stats);
    const identity = () => (this.#membership === undefined ? NO_MEMBER : this.#membership.identity);
    this.#commits = new ConsumerCommits(cluster, this.#positions, this.#settings, identity);
    this.#changes = new ChangeSignal(cluster.runtime);
    this.#loop = new RecordLoop(cluster, this.#positions, reader, this.#changes, {
      recordsMax: limits.pollRecordsMax,
      mode: () => this.#mode,
      membership: () => this.#membership,
      work: () => this.#work(),
    });
    this.#workAlarm = new Alarm(cluster.runtime, onChange);
    this.#stopListening = cluster.onUpdate(() => this.#onMetadata());
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#mode === 'closed';
  }

  /** Calls `listener` at each such event of this consumer, until the returned function is called. */
  on<N extends 'retry' | 'rebalance' | 'assigned' | 'revoked' | 'lost'>(
    name: N,
    listener: (event: ClientEvents[N]) => void,
  ): () => void {
    return this.#watch.events.on(name, listener);
  }

  /** What this consumer did since it was made, and how far it is behind. */
  metrics(): ConsumerMetrics {
    return this.#watch.stats.snapshot(this.#positions);
  }

  /** Joins the group and lets its coordinator assign partitions of these topics. Replaces an earlier subscription. */
  subscribe(topics: readonly string[] | string, listener: RebalanceListener = {}): void {
    const { group } = this.#settings;
    if (group === undefined)
      throw new ClientError('INVALID_STATE', 'subscribe needs a consumer with a group');
    this.#enterMode('group');
    const names = typeof topics === 'string' ? [topics] : topics;
    for (const name of names) this.#cluster.addInterest(name);
    this.#membership ??= new GroupMembership(
      this.#cluster,
      this.#positions,
      this.#watch,
      { ...this.#settings, group },
      (states) => this.#commits.commitDone(states, this.#deadline()),
      () => this.#onChange(),
    );
    this.#membership.subscribe(names, listener);
    this.#commits.schedule();
  }

  /** As `close`, leaves the group or gives up what was assigned; then the consumer may subscribe or assign anew. */
  async unsubscribe({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#mode === 'closed') throw closedError('consumer');
    if (this.#mode === 'none') return;
    if (!this.#loop.leftInside) this.#positions.markDone();
    this.#commits.stopSchedule();
    try {
      await letGo(this.#cluster.runtime, this.#nowMs() + timeoutMs, this.#holdings);
    } finally {
      this.#membership = undefined;
      if (!this.closed) this.#mode = 'none';
      this.#changes.notify();
    }
  }

  /**
   * Reads exactly these partitions, without a group's help. Replaces an earlier assignment. A topic that is not there yet is
   * waited for, at most `apiTimeoutMs`; a partition, which may have been added a moment ago, at most 5,000 ms.
   *
   * @throws ClientError `INVALID_STATE` after `subscribe`, or where there is no such partition
   * @throws KafkaError `UNKNOWN_TOPIC_OR_PARTITION` when the topic did not appear in time
   */
  async assign(partitions: readonly TopicPartition[], { signal }: Abortable = {}): Promise<void> {
    this.#enterMode('assigned');
    const deadlineMs = this.#deadline();
    const wanted = new Set(partitions.map(({ topic, partition }) => keyOf(topic, partition)));
    for (const state of [...this.#positions.all()]) {
      if (!wanted.has(keyOf(state.topic, state.partition))) this.#positions.remove(state);
    }
    for (const { topic, partition } of partitions) {
      if (this.#positions.get({ topic, partition }) !== undefined) continue;
      const metadata = await abortable(knownPartition(this.#cluster, topic, partition, deadlineMs), signal);
      this.#positions.add(topic, partition, metadata.topicId, this.#settings.from);
    }
    this.#commits.schedule();
    this.#onChange();
  }

  /** The partitions that this consumer reads now. */
  assignment(): TopicPartition[] {
    return [...this.#positions.all()].map(placeOf);
  }

  /**
   * The next records, at once when there are any, else as soon as there are, and none after `timeoutMs`. Throws what
   * went wrong in the background: a `LogTruncationError`, an `OffsetResetError`, a refusal by a broker.
   */
  poll(timeoutMs = 1_000, { signal }: PollOptions = {}): Promise<ConsumerRecord<K, V>[]> {
    return this.#loop.poll(timeoutMs, signal);
  }

  /** Records one by one, for ever: leave the loop to stop. Asking for the next one says that the last is done with. */
  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<K, V>> {
    return {
      next: () => this.#loop.next(),
      return: () => {
        this.#loop.leftInside = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  /** Moves to an offset; the next record handed out is that one. */
  seek(to: PartitionOffset): void {
    const state = this.#state(to);
    if (!Number.isSafeInteger(to.offset) || to.offset < 0) {
      throw new ClientError('INVALID_STATE', `seek: ${to.offset} is not an offset`);
    }
    this.#positions.seek(state, to.offset, to.leaderEpoch ?? -1);
    this.#work();
  }

  /** Moves to the first record that the log still has; of all assigned partitions by default. Looked up by the next `poll`. */
  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#seekToEnd(partitions, 'earliest');
  }

  /** Moves behind the last record that is committed; of all assigned partitions by default. Looked up by the next `poll`. */
  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#seekToEnd(partitions, 'latest');
  }

  /**
   * Moves to the first record at or after a time (milliseconds since the epoch), where there is none to the end. Resolves
   * once all partitions have moved; they do so together.
   */
  async seekToTimestamp(
    timestampMs: number,
    partitions: readonly TopicPartition[] = this.assignment(),
    { signal }: Abortable = {},
  ): Promise<void> {
    const wanted = partitions.map((partition) => ({ ...partition, timestamp: timestampMs }));
    const found = await this.offsetsForTimes(wanted, { signal });
    for (const [i, partition] of partitions.entries()) {
      const offset = found[i]?.offset;
      if (offset === undefined) this.#positions.seekToEnd(this.#state(partition), 'latest');
      else this.#positions.seek(this.#state(partition), offset);
    }
    this.#work();
  }

  /**
   * For each partition the first record at or after a time (milliseconds since the epoch); undefined where there is none.
   * In the order of the partitions, which need not be assigned.
   */
  offsetsForTimes(
    partitions: readonly (TopicPartition & { readonly timestamp: number })[],
    { signal }: Abortable = {},
  ): Promise<(OffsetAndTimestamp | undefined)[]> {
    return this.#lookups.offsetsForTimes(partitions, this.#deadline(), signal);
  }

  /** The offset of the next record to be handed out; looked up if that is not known yet. */
  async position(partition: TopicPartition, { signal }: Abortable = {}): Promise<number> {
    const deadlineMs = this.#deadline();
    for (;;) {
      if (signal?.aborted) throw abortedError(signal);
      const state = this.#state(partition);
      if (state.next.offset >= 0) return state.next.offset;
      if (state.error !== undefined) throw state.error;
      if (this.#nowMs() >= deadlineMs)
        throw new ClientError('TIMED_OUT', 'the position is not known yet', { retriable: true });
      this.#work();
      await this.#changes.next(deadlineMs, signal);
    }
  }

  /** The group's committed offsets; undefined where there is none. In the order of the partitions. */
  committed(
    partitions: readonly TopicPartition[],
    { signal }: Abortable = {},
  ): Promise<(PartitionOffset | undefined)[]> {
    return this.#lookups.committed(partitions, this.#deadline(), signal);
  }

  /** This consumer's membership; undefined while it is in no group. */
  groupMetadata(): GroupMetadata | undefined {
    return this.#membership?.metadata;
  }

  /** Fetches nothing more of these partitions, and hands out nothing, until `resume`. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#state(partition).paused = true;
  }

  /** Takes back `pause`. */
  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#state(partition).paused = false;
    this.#onChange();
  }

  /** The partitions that are paused now. */
  paused(): TopicPartition[] {
    return [...this.#positions.all()].filter(({ paused }) => paused).map(placeOf);
  }

  /** How many records the log has beyond the position, as of the last fetch; undefined before the first. */
  lag(partition: TopicPartition): number | undefined {
    return this.#state(partition).lag;
  }

  /** Commits these offsets (by default: behind every record handed out so far) and waits until they are. */
  commitSync(offsets?: readonly PartitionOffset[], { signal }: Abortable = {}): Promise<void> {
    return abortable(this.#commits.commit(offsets, this.#deadline()), signal);
  }

  /** Commits without waiting; `callback` learns how it went. Commits never overtake each other. */
  commitAsync(offsets?: readonly PartitionOffset[], callback?: (error: Error | undefined) => void): void {
    this.#commits.commitAsync(offsets, this.#deadline(), callback);
  }

  /**
   * Leaves: commits (if automatic) what was handed out, waits for commits that are under way, tells the listener and the
   * group, and stops, all within `timeoutMs` (10,000 by default). A record in whose midst `for await` was left counts as
   * not done. A second call waits for the first. Throws what the listener threw.
   */
  close({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    if (!this.#loop.leftInside) this.#positions.markDone();
    this.#mode = 'closed';
    this.#commits.stopSchedule();
    this.#changes.notify();
    try {
      await letGo(this.#cluster.runtime, this.#nowMs() + timeoutMs, this.#holdings);
    } finally {
      this.#commits.close();
      this.#stopListening();
      this.#workAlarm.clear();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #nowMs(): number {
    return this.#cluster.runtime.clock.monotonicMs();
  }

  #deadline(): number {
    return this.#nowMs() + this.#settings.limits.apiTimeoutMs;
  }

  get #holdings(): Holdings {
    return { positions: this.#positions, commits: this.#commits, membership: this.#membership };
  }

  #enterMode(mode: 'group' | 'assigned'): void {
    if (this.#mode === 'closed') throw closedError('consumer');
    if (this.#mode !== 'none' && this.#mode !== mode) {
      throw new ClientError('INVALID_STATE', 'one consumer cannot both subscribe and assign');
    }
    this.#mode = mode;
  }

  #state(partition: TopicPartition): PartitionState {
    if (this.#mode === 'closed') throw closedError('consumer');
    const state = this.#positions.get(partition);
    if (state !== undefined) return state;
    const name = `${partition.topic}-${partition.partition}`;
    throw new ClientError('INVALID_STATE', `${name} is not assigned to this consumer`);
  }

  #seekToEnd(partitions: readonly TopicPartition[], end: 'earliest' | 'latest'): void {
    for (const partition of partitions) this.#positions.seekToEnd(this.#state(partition), end);
    this.#work();
  }

  /** Looks up and fetches what is missing. */
  #work(): void {
    if (this.#mode === 'closed' || this.#cluster.closed) return;
    const nowMs = this.#nowMs();
    const fetchAtMs = this.#fetcher.pump(nowMs);
    this.#workAlarm.set(Math.min(fetchAtMs, this.#resolver.pump(nowMs)));
  }

  #onChange(): void {
    this.#work();
    this.#changes.notify();
  }

  #onMetadata(): void {
    this.#fetcher.onLeadersChanged();
    this.#onChange();
  }
}
