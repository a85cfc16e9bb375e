/**
 * What a follower of one partition does with the answer to its fetch. A pure core; one object lives for one leader epoch.
 * The order matters: answers to a question it would no longer ask are dropped, then divergence is dealt with, and only an
 * answer that fits the log's end brings records and a high watermark (KAFKA-14704).
 */

import { ERROR_CODE } from '../protocol/errors.ts';
import type { FetchResponse } from '../protocol/messages/fetch.ts';
import { truncationOffset } from './divergence.ts';
import type { LogView } from './types.ts';

export type FetchedPartition = FetchResponse['responses'][number]['partitions'][number];

/** What a follower asks with: it has everything below `fetchOffset`, durably, the last of it in `lastFetchedEpoch`. */
export interface FetchPosition {
  readonly currentLeaderEpoch: number;
  readonly fetchOffset: number;
  readonly lastFetchedEpoch: number;
}

export type FollowerAction =
  /** The question or the leader epoch is out of date. */
  | { readonly kind: 'drop' }
  /** The leader's log leaves this one: cut back, then ask again. No high watermark comes with it. */
  | { readonly kind: 'truncate'; readonly offset: number }
  /** The leader deleted what comes next here: start over at its log start. */
  | { readonly kind: 'reset'; readonly offset: number }
  /** Append the records (maybe none), then take over `progressAfterAppend`. */
  | { readonly kind: 'append'; readonly records: readonly Uint8Array[] }
  /** Ask again later. */
  | { readonly kind: 'backOff'; readonly errorCode: number };

export class PartitionFollower {
  readonly leaderId: number;
  readonly leaderEpoch: number;
  readonly #log: LogView;

  constructor(leaderId: number, leaderEpoch: number, log: LogView) {
    this.leaderId = leaderId;
    this.leaderEpoch = leaderEpoch;
    this.#log = log;
  }

  /** What to ask the leader next. All below the log end must be synced by now: the leader takes it as proof. */
  position(): FetchPosition {
    return {
      currentLeaderEpoch: this.leaderEpoch,
      fetchOffset: this.#log.logEndOffset,
      lastFetchedEpoch: this.#log.latestEpoch,
    };
  }

  onResponse(asked: FetchPosition, answer: FetchedPartition): FollowerAction {
    if (!this.#stillAsks(asked)) return { kind: 'drop' };
    if (answer.errorCode === ERROR_CODE.OFFSET_OUT_OF_RANGE) return this.#onOutOfRange(answer);
    if (answer.errorCode !== ERROR_CODE.NONE) return { kind: 'backOff', errorCode: answer.errorCode };
    if (answer.divergingEpoch.epoch >= 0) {
      const offset = truncationOffset(this.#log, answer.divergingEpoch);
      return { kind: 'truncate', offset };
    }
    return { kind: 'append', records: answer.records };
  }

  /** The high watermark and log start after the records of an answer were appended; neither ever goes back. */
  progressAfterAppend(answer: FetchedPartition): { highWatermark: number; logStartOffset: number } {
    const reached = Math.min(answer.highWatermark, this.#log.logEndOffset);
    const highWatermark = Math.max(this.#log.highWatermark, reached);
    // The log start follows the leader's, but never passes the high watermark (KAFKA-5634).
    const logStartOffset = Math.max(this.#log.logStartOffset, Math.min(answer.logStartOffset, highWatermark));
    return { highWatermark, logStartOffset };
  }

  #stillAsks(asked: FetchPosition): boolean {
    return (
      asked.currentLeaderEpoch === this.leaderEpoch &&
      asked.fetchOffset === this.#log.logEndOffset &&
      asked.lastFetchedEpoch === this.#log.latestEpoch
    );
  }

  /**
   * Starting over throws away what is here, so it takes proof that the leader has nothing that continues this log:
   * this log ends before the leader's begins, or holds no record. Ahead of the leader's end is divergence, and the
   * leader says so by epoch.
   */
  #onOutOfRange(answer: FetchedPartition): FollowerAction {
    const { logStartOffset, logEndOffset } = this.#log;
    const isBehind = logEndOffset < answer.logStartOffset;
    const isEmpty = logEndOffset === logStartOffset && answer.logStartOffset >= 0;
    if ((isBehind || isEmpty) && answer.logStartOffset !== logEndOffset) {
      return { kind: 'reset', offset: answer.logStartOffset };
    }
    return { kind: 'backOff', errorCode: answer.errorCode };
  }
}
