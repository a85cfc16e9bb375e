import type { LedPartition } from '../../src/replication/led-partition.ts';
import { InvariantViolation } from './violation.ts';

interface Log {
  readonly name: string;
  readonly logEndOffset: number;
  readonly highWatermark: number;
}

/**
 * A leader that was replaced acknowledges nothing that it took in after the next leader committed its first record
 * (KAFKA-14296): followers that serve the new epoch cannot have it. What reached them before may still be acknowledged,
 * by fetches that were long on their way.
 */
export class DeposedLeaders {
  /** The newest epoch of each partition in which something was committed. */
  readonly #committedIn = new Map<string, number>();
  /** Where each leader's log ended after the last event on its node, until it was deposed. */
  readonly #ends = new WeakMap<LedPartition, number>();

  /** After each event on the node of a leader. */
  check(nodeId: number, led: LedPartition, log: Log): void {
    const { leaderEpoch, epochStartOffset } = led.core;
    const newest = this.#committedIn.get(log.name) ?? -1;
    if (leaderEpoch >= newest) {
      this.#ends.set(led, log.logEndOffset);
      if (log.highWatermark > epochStartOffset) this.#committedIn.set(log.name, leaderEpoch);
      return;
    }
    const end = this.#ends.get(led) ?? epochStartOffset;
    if (log.highWatermark <= end) return;
    const what = `epoch ${leaderEpoch} committed up to ${log.highWatermark}, its log ended at ${end} when ${newest} began`;
    throw new InvariantViolation('deposed leader acknowledges', `${log.name}, node ${nodeId}: ${what}`);
  }
}
