/** Everything that waits on one partition. It outlives a role: who may still be served in the next one stays. */

import type { Clock, Timers } from '../platform/ports.ts';
import { AckQueue } from './ack-queue.ts';

/** A fetch that waits for more records, as the partitions it waits on know it. */
export interface ParkedFetch {
  /** Woken already, and not read again since. */
  readonly isWoken: boolean;
}

export class PartitionWaiters {
  /** Produce requests that wait for the high watermark: acks=all. */
  readonly commits: AckQueue;
  /** Produce requests that wait for the leader's own disk: acks=1. */
  readonly writes: AckQueue;
  /** Fetches of followers wait for the log end, those of consumers for the high watermark. */
  readonly followerFetches = new Set<ParkedFetch>();
  readonly consumerFetches = new Set<ParkedFetch>();

  constructor(clock: Clock, timers: Timers) {
    this.commits = new AckQueue(clock, timers);
    this.writes = new AckQueue(clock, timers);
  }

  get produceCount(): number {
    return this.commits.size + this.writes.size;
  }

  /** Leadership is gone: no produce request of this broker will be acknowledged. */
  abandonProduces(): void {
    this.commits.abandon();
    this.writes.abandon();
  }
}
