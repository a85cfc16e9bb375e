/** How records reach the application: in lists by `poll`, one by one by `for await`; one reader at a time. */

import type { ChangeSignal } from './change-signal.ts';
import type { Cluster } from './cluster.ts';
import type { ConsumerRecord } from './consumer-options.ts';
import { ClientError, closedError } from './errors.ts';
import type { FetchPositions } from './fetch-positions.ts';
import type { GroupMembership } from './group-membership.ts';
import type { RecordReader } from './record-reader.ts';
import { abortedError } from './rpc.ts';

export type ConsumerMode = 'none' | 'group' | 'assigned' | 'closed';

/** The consumer that the loop runs for. */
interface LoopHost {
  readonly recordsMax: number;
  mode(): ConsumerMode;
  membership(): GroupMembership | undefined;
  /** Fetches and looks up what is missing. */
  work(): void;
}

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

export class RecordLoop<K, V> {
  readonly #cluster: Cluster;
  readonly #positions: FetchPositions;
  readonly #reader: RecordReader<K, V>;
  readonly #changes: ChangeSignal;
  readonly #host: LoopHost;
  #polling = false;
  /** `for await` was left in the middle of a record: nobody said that it is done with. */
  leftInside = false;

  constructor(
    cluster: Cluster,
    positions: FetchPositions,
    reader: RecordReader<K, V>,
    changes: ChangeSignal,
    host: LoopHost,
  ) {
    this.#cluster = cluster;
    this.#positions = positions;
    this.#reader = reader;
    this.#changes = changes;
    this.#host = host;
  }

  poll(timeoutMs: number, signal: AbortSignal | undefined): Promise<ConsumerRecord<K, V>[]> {
    return this.#exclusively(async () => {
      this.#markDone();
      const deadlineMs = this.#nowMs() + timeoutMs;
      for (;;) {
        if (signal?.aborted) throw abortedError(signal);
        await this.#host.membership()?.reconcile();
        this.#throwFailure();
        const records = this.#take(this.#host.recordsMax);
        this.#host.work();
        const isOver = this.#host.mode() === 'none' || this.#nowMs() >= deadlineMs;
        if (records.length > 0 || isOver) return records;
        await this.#changes.next(deadlineMs, signal);
      }
    });
  }

  async next(): Promise<IteratorResult<ConsumerRecord<K, V>>> {
    // The short way, when a record is at hand and there is nothing else to see to.
    const mode = this.#host.mode();
    if (mode === 'closed') return END;
    if (!this.#polling && !this.#host.membership()?.member.hasStep && !this.#positions.hasError) {
      const state = this.#positions.nextWithRecords();
      if (state !== undefined) {
        this.#markDone();
        const value = this.#reader.handOut(state);
        if (!state.hasRecords) this.#host.work();
        return { done: false, value };
      }
    }
    return this.#exclusively(async () => {
      this.#markDone();
      for (;;) {
        await this.#host.membership()?.reconcile();
        if (this.#host.mode() === 'closed' || this.#host.mode() === 'none') return END;
        this.#throwFailure();
        const [value] = this.#take(1);
        this.#host.work();
        if (value !== undefined) return { done: false, value };
        await this.#changes.next(Number.POSITIVE_INFINITY);
      }
    });
  }

  /** One reader at a time: two would tell each other's records to be done. */
  async #exclusively<T>(run: () => Promise<T>): Promise<T> {
    const mode = this.#host.mode();
    if (mode === 'closed') throw closedError('consumer');
    if (mode === 'none') throw new ClientError('INVALID_STATE', 'subscribe or assign first');
    if (this.#polling) throw new ClientError('INVALID_STATE', 'another poll of this consumer is under way');
    this.#polling = true;
    try {
      return await run();
    } finally {
      this.#polling = false;
    }
  }

  #markDone(): void {
    this.leftInside = false;
    this.#positions.markDone();
  }

  #take(recordsMax: number): ConsumerRecord<K, V>[] {
    const member = this.#host.membership()?.member;
    // Out of the coordinator's reach for too long: the partitions may be another member's by now.
    if (member !== undefined && this.#nowMs() >= member.ownsUntilMs) return [];
    return this.#reader.take(recordsMax);
  }

  #throwFailure(): void {
    if (this.#host.mode() === 'closed') throw closedError('consumer');
    if (this.#cluster.closed) throw closedError('client');
    const error = this.#host.membership()?.member.failure ?? this.#positions.takeError();
    if (error !== undefined) throw error;
  }

  #nowMs(): number {
    return this.#cluster.runtime.clock.monotonicMs();
  }
}
