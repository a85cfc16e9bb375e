/**
 * The consumer: a shell around `group-member.ts` and `fetch-positions.ts`. Heartbeats and fetches go on by themselves;
 * what changes the application's view (partitions granted and revoked, positions, errors) happens only within
 * `poll`, or between two records of `for await`.
 *
 * Coming back for more says that what was handed out before is done with: that is what automatic commits commit.
 */

import { ChangeSignal } from './change-signal.ts';
import type { Cluster } from './cluster.ts';
import { ConsumerCommits } from './consumer-commits.ts';
import {
  type ConsumerOptions,
  type ConsumerRecord,
  type ConsumerSettings,
  consumerSettings,
  type PartitionOffset,
  type RebalanceListener,
  type TopicPartition,
} from './consumer-options.ts';
import { ClientError, closedError } from './errors.ts';
import { FetchPositions, keyOf, type PartitionState } from './fetch-positions.ts';
import { Fetcher } from './fetcher.ts';
import type { PartitionId } from './group-member.ts';
import { GroupMembership } from './group-membership.ts';
import type { CommitIdentity } from './offset-committer.ts';
import { fetchCommitted, OffsetResolver } from './offset-resolver.ts';
import { RecordReader } from './record-reader.ts';
import { Alarm, abortedError } from './rpc.ts';
import { bytes as bytesSerde, type Deserializer } from './serde.ts';

export interface PollOptions {
  readonly signal?: AbortSignal;
}

type Mode = 'none' | 'group' | 'assigned' | 'closed';

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
const NO_MEMBER: CommitIdentity = { memberId: '', epoch: -1, instanceId: null };

export class Consumer<K = Uint8Array, V = Uint8Array> implements AsyncIterable<ConsumerRecord<K, V>> {
  readonly #cluster: Cluster;
  readonly #settings: ConsumerSettings;
  readonly #positions: FetchPositions;
  readonly #fetcher: Fetcher;
  readonly #resolver: OffsetResolver;
  readonly #reader: RecordReader<K, V>;
  readonly #commits: ConsumerCommits;
  readonly #changes: ChangeSignal;
  readonly #workAlarm: Alarm;
  readonly #stopListening: () => void;
  #mode: Mode = 'none';
  #membership: GroupMembership | undefined;
  #polling = false;
  /** `for await` was left in the middle of a record: nobody said that it is done with. */
  #leftInside = false;

  constructor(cluster: Cluster, options: ConsumerOptions<K, V>) {
    this.#cluster = cluster;
    this.#settings = consumerSettings(options);
    const { group, autoOffsetReset, limits, rackId } = this.#settings;
    const onChange = () => this.#onChange();
    this.#positions = new FetchPositions(autoOffsetReset);
    this.#fetcher = new Fetcher(cluster, this.#positions, limits, rackId, onChange);
    this.#resolver = new OffsetResolver(
      cluster,
      this.#positions,
      group,
      () => this.#membership?.member,
      onChange,
    );
    // The type of the options lets a deserializer be left out only where bytes will do.
    const key = options.key ?? (bytesSerde as Deserializer<unknown> as Deserializer<K>);
    const value = options.value ?? (bytesSerde as Deserializer<unknown> as Deserializer<V>);
    this.#reader = new RecordReader(this.#positions, key, value);
    const identity = () => (this.#membership === undefined ? NO_MEMBER : this.#membership.identity);
    this.#commits = new ConsumerCommits(cluster, this.#positions, this.#settings, identity);
    this.#changes = new ChangeSignal(cluster.runtime);
    this.#workAlarm = new Alarm(cluster.runtime, onChange);
    this.#stopListening = cluster.onUpdate(() => this.#onMetadata());
  }

  get closed(): boolean {
    return this.#mode === 'closed';
  }

  /** Joins the group and lets its coordinator assign partitions of these topics. Replaces an earlier subscription. */
  subscribe(topics: readonly string[] | string, listener: RebalanceListener = {}): void {
    const { group } = this.#settings;
    if (group === undefined)
      throw new ClientError('INVALID_STATE', 'subscribe needs a consumer with a group');
    this.#enterMode('group');
    const names = typeof topics === 'string' ? [topics] : topics;
    for (const name of names) this.#cluster.addInterest(name);
    this.#membership ??= this.#newMembership(group);
    this.#membership.subscribe(names, listener);
    this.#commits.schedule();
  }

  /** Reads exactly these partitions, without a group's help. Replaces an earlier assignment. */
  async assign(partitions: readonly TopicPartition[]): Promise<void> {
    this.#enterMode('assigned');
    const deadlineMs = this.#deadline();
    const wanted = new Set(partitions.map(({ topic, partition }) => keyOf(topic, partition)));
    for (const state of [...this.#positions.all()]) {
      if (!wanted.has(keyOf(state.topic, state.partition))) this.#positions.remove(state);
    }
    for (const { topic, partition } of partitions) {
      if (this.#positions.get({ topic, partition }) !== undefined) continue;
      const metadata = await this.#cluster.topic(topic, deadlineMs);
      if (metadata.partitions[partition] === undefined) {
        const message = `${topic} has ${metadata.partitions.length} partitions, so there is no partition ${partition}`;
        throw new ClientError('INVALID_STATE', message);
      }
      this.#positions.add(topic, partition, metadata.topicId, this.#settings.from);
    }
    this.#commits.schedule();
    this.#onChange();
  }

  /** The partitions that this consumer reads now. */
  assignment(): TopicPartition[] {
    return [...this.#positions.all()].map(({ topic, partition }) => ({ topic, partition }));
  }

  /**
   * The next records, at once when there are any, else as soon as there are, and none after `timeoutMs`. Throws what
   * went wrong in the background: a `LogTruncationError`, an `OffsetResetError`, a refusal by a broker.
   */
  async poll(timeoutMs = 1_000, { signal }: PollOptions = {}): Promise<ConsumerRecord<K, V>[]> {
    return this.#exclusively(async () => {
      this.#markDone();
      const deadlineMs = this.#nowMs() + timeoutMs;
      for (;;) {
        if (signal?.aborted) throw abortedError(signal);
        await this.#reconcile();
        this.#throwFailure();
        const records = this.#take(this.#settings.limits.pollRecordsMax);
        this.#work();
        if (records.length > 0 || this.#nowMs() >= deadlineMs) return records;
        await this.#changes.next(deadlineMs, signal);
      }
    });
  }

  /** Records one by one, for ever: leave the loop to stop. Asking for the next one says that the last is done with. */
  [Symbol.asyncIterator](): AsyncIterator<ConsumerRecord<K, V>> {
    return {
      next: () => this.#next(),
      return: () => {
        this.#leftInside = true;
        return Promise.resolve(END);
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

  seekToBeginning(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#seekToEnd(partitions, 'earliest');
  }

  seekToEnd(partitions: readonly TopicPartition[] = this.assignment()): void {
    this.#seekToEnd(partitions, 'latest');
  }

  /** The offset of the next record to be handed out; looked up if that is not known yet. */
  async position(partition: TopicPartition): Promise<number> {
    const deadlineMs = this.#deadline();
    for (;;) {
      const state = this.#state(partition);
      if (state.next.offset >= 0) return state.next.offset;
      if (state.error !== undefined) throw state.error;
      if (this.#nowMs() >= deadlineMs)
        throw new ClientError('TIMED_OUT', 'the position is not known yet', { retriable: true });
      this.#work();
      await this.#changes.next(deadlineMs);
    }
  }

  /** The group's committed offsets; undefined where there is none. In the order of the partitions. */
  async committed(partitions: readonly TopicPartition[]): Promise<(PartitionOffset | undefined)[]> {
    const { group } = this.#settings;
    if (group === undefined)
      throw new ClientError('INVALID_STATE', 'committed needs a consumer with a group');
    const deadlineMs = this.#deadline();
    const ids: PartitionId[] = [];
    for (const { topic, partition } of partitions) {
      ids.push({ topicId: (await this.#cluster.topic(topic, deadlineMs)).topicId, partition });
    }
    const found = await this.#cluster.retry(deadlineMs, () => fetchCommitted(this.#cluster, group, ids));
    return partitions.map(({ topic, partition }, i) => {
      const offset = found.get(keyOf((ids[i] as PartitionId).topicId, partition));
      return offset && { topic, partition, ...offset };
    });
  }

  /** This consumer's membership; undefined while it is in no group. */
  groupMetadata():
    | { readonly groupId: string; readonly memberId: string; readonly memberEpoch: number }
    | undefined {
    const { group } = this.#settings;
    const identity = this.#membership?.identity;
    if (group === undefined || identity === undefined) return undefined;
    return { groupId: group, memberId: identity.memberId, memberEpoch: identity.epoch };
  }

  /** Fetches nothing more of these partitions, and hands out nothing, until `resume`. */
  pause(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#state(partition).paused = true;
  }

  resume(partitions: readonly TopicPartition[]): void {
    for (const partition of partitions) this.#state(partition).paused = false;
    this.#onChange();
  }

  paused(): TopicPartition[] {
    return [...this.#positions.all()]
      .filter(({ paused }) => paused)
      .map(({ topic, partition }) => ({ topic, partition }));
  }

  /** How many records the log has beyond the position, as of the last fetch; undefined before the first. */
  lag(partition: TopicPartition): number | undefined {
    const { highWatermark, next } = this.#state(partition);
    return highWatermark < 0 || next.offset < 0 ? undefined : Math.max(0, highWatermark - next.offset);
  }

  /** Commits these offsets (by default: behind every record handed out so far) and waits until they are. */
  async commitSync(offsets?: readonly PartitionOffset[]): Promise<void> {
    await this.#commits.commit(offsets, this.#deadline());
  }

  /** Commits without waiting; `callback` learns how it went. Commits never overtake each other. */
  commitAsync(offsets?: readonly PartitionOffset[], callback?: (error: Error | undefined) => void): void {
    this.#commits.commitAsync(offsets, this.#deadline(), callback);
  }

  /**
   * Leaves: commits (if automatic) what was handed out, tells the listener and the group, and stops. A record in whose
   * midst `for await` was left counts as not done.
   */
  async close({ timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    if (this.#mode === 'closed') return;
    const deadlineMs = this.#nowMs() + timeoutMs;
    if (!this.#leftInside) this.#positions.markDone();
    this.#mode = 'closed';
    this.#commits.stopSchedule();
    this.#changes.notify();
    try {
      await this.#commits.commitDone([...this.#positions.all()], deadlineMs);
      const owned = this.assignment();
      if (owned.length > 0) await this.#membership?.revokeAll(owned);
    } finally {
      this.#commits.close();
      for (const state of [...this.#positions.all()]) this.#positions.remove(state);
      await this.#membership?.leave(deadlineMs);
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

  #enterMode(mode: 'group' | 'assigned'): void {
    if (this.#mode === 'closed') throw closedError('consumer');
    if (this.#mode !== 'none' && this.#mode !== mode) {
      throw new ClientError('INVALID_STATE', 'one consumer cannot both subscribe and assign');
    }
    this.#mode = mode;
  }

  #newMembership(group: string): GroupMembership {
    return new GroupMembership(
      this.#cluster,
      this.#positions,
      { ...this.#settings, group },
      (states) => this.#commits.commitDone(states, this.#deadline()),
      () => this.#onChange(),
    );
  }

  #state(partition: TopicPartition): PartitionState {
    if (this.#mode === 'closed') throw closedError('consumer');
    const state = this.#positions.get(partition);
    if (state !== undefined) return state;
    const { topic, partition: index } = partition;
    throw new ClientError('INVALID_STATE', `${topic}-${index} is not assigned to this consumer`);
  }

  #seekToEnd(partitions: readonly TopicPartition[], end: 'earliest' | 'latest'): void {
    for (const partition of partitions) this.#positions.seekToEnd(this.#state(partition), end);
    this.#work();
  }

  /** One reader at a time: two would tell each other's records to be done. */
  async #exclusively<T>(run: () => Promise<T>): Promise<T> {
    if (this.#mode === 'closed') throw closedError('consumer');
    if (this.#mode === 'none') throw new ClientError('INVALID_STATE', 'subscribe or assign first');
    if (this.#polling) throw new ClientError('INVALID_STATE', 'another poll of this consumer is under way');
    this.#polling = true;
    try {
      return await run();
    } finally {
      this.#polling = false;
    }
  }

  #markDone(): void {
    this.#leftInside = false;
    this.#positions.markDone();
  }

  async #next(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    // The short way, when a record is at hand and there is nothing else to see to.
    if (this.#mode === 'closed') return END;
    if (!this.#polling && !this.#membership?.member.hasStep && !this.#positions.hasError) {
      const state = this.#positions.nextWithRecords();
      if (state !== undefined) {
        this.#markDone();
        const value = this.#reader.handOut(state);
        if (!state.hasRecords) this.#work();
        return { done: false, value };
      }
    }
    return this.#exclusively(async () => {
      this.#markDone();
      for (;;) {
        await this.#reconcile();
        if (this.closed) return END;
        this.#throwFailure();
        const [value] = this.#take(1);
        this.#work();
        if (value !== undefined) return { done: false, value };
        await this.#changes.next(Number.POSITIVE_INFINITY);
      }
    });
  }

  #take(recordsMax: number): ConsumerRecord<K, V>[] {
    const member = this.#membership?.member;
    // Out of the coordinator's reach for too long: the partitions may be another member's by now.
    if (member !== undefined && this.#nowMs() >= member.ownsUntilMs) return [];
    return this.#reader.take(recordsMax);
  }

  async #reconcile(): Promise<void> {
    await this.#membership?.reconcile();
  }

  #throwFailure(): void {
    if (this.#mode === 'closed') throw closedError('consumer');
    if (this.#cluster.closed) throw closedError('client');
    const error = this.#membership?.member.failure ?? this.#positions.takeError();
    if (error !== undefined) throw error;
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
