/** What must hold after every event of the replication simulation. */

import type { PartitionLeader } from '../../../src/replication/partition-leader.ts';
import type { PartitionState } from './model-controller.ts';
import type { ModelLog, ModelRecord } from './model-log.ts';

export interface Replica {
  readonly id: number;
  readonly log: ModelLog;
  readonly leader: PartitionLeader | undefined;
}

export class ReplicationInvariants {
  readonly #fail: (why: string) => never;
  /** Every record that some leader's high watermark covered: it must never change again. */
  readonly committed: ModelRecord[] = [];
  readonly #highWatermarks = new Map<number, number>();

  constructor(fail: (why: string) => never) {
    this.#fail = fail;
  }

  /** `replicas` are in the order of their ids, which begin with 1. */
  check(replicas: readonly Replica[], state: PartitionState): void {
    for (const replica of replicas) {
      if (replica.leader) this.#checkLeader(replica, replica.leader, replicas, state);
    }
    for (const id of [...state.isr, ...state.elr]) this.#checkHasCommitted(replicas[id - 1] as Replica);
    for (const { id, log } of replicas) {
      if (log.highWatermark > log.logEndOffset) this.#fail(`node ${id}: high watermark beyond the log end`);
      for (let offset = 0; offset < log.highWatermark; offset++) {
        if (log.at(offset)?.value !== this.committed[offset]?.value)
          this.#fail(`node ${id} differs at ${offset}`);
      }
    }
  }

  #checkLeader(
    { id, log }: Replica,
    leader: PartitionLeader,
    replicas: readonly Replica[],
    state: PartitionState,
  ): void {
    const { leaderEpoch, highWatermark } = leader;
    if (highWatermark < (this.#highWatermarks.get(leaderEpoch) ?? 0))
      this.#fail(`the high watermark of epoch ${leaderEpoch} went back`);
    this.#highWatermarks.set(leaderEpoch, highWatermark);
    this.#noteCommitted(id, log, highWatermark);
    if (highWatermark > log.syncedOffset) this.#fail(`leader ${id} commits what it has not synced`);
    // A deposed leader's view of the ISR binds nobody.
    if (leaderEpoch !== state.leaderEpoch) return;
    for (const member of leader.maximalIsr) {
      if ((replicas[member - 1] as Replica).log.syncedOffset < highWatermark)
        this.#fail(`member ${member} of the maximal ISR lacks committed records`);
    }
  }

  #noteCommitted(id: number, log: ModelLog, highWatermark: number): void {
    for (let offset = 0; offset < highWatermark; offset++) {
      const record = log.at(offset) as ModelRecord;
      const known = this.committed[offset];
      if (known === undefined) this.committed.push(record);
      else if (known.value !== record?.value) this.#fail(`node ${id} commits another record at ${offset}`);
    }
  }

  #checkHasCommitted({ id, log }: Replica): void {
    this.committed.forEach((record, offset) => {
      const isDurable = offset < log.syncedOffset && log.at(offset)?.value === record.value;
      if (!isDurable) this.#fail(`electable replica ${id} lacks the committed record at ${offset}`);
    });
  }
}
