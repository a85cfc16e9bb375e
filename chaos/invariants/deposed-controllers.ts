import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import type { Invariant } from './invariant.ts';
import type { RunningTime } from './running-time.ts';
import { InvariantViolation } from './violation.ts';

/** Several times as long as a leader goes on without its majority: answers that were on their way may prolong it. */
const RESIGNED_MS = 4000;

/**
 * A leader of the quorum that is cut off from its majority resigns within a bound (check-quorum, KAFKA-15489): once
 * there is a newer one, a majority answers the old one no more.
 */
export class DeposedControllers implements Invariant {
  readonly #time: RunningTime;
  #newestEpoch = 0;
  /** Nodes that lead an old epoch, and since when, in their own running time. */
  readonly #deposed = new Map<number, { readonly incarnation: number; readonly sinceMs: number }>();

  constructor(time: RunningTime) {
    this.#time = time;
  }

  check(member: ClusterNode, { raft }: OdradekNode): void {
    const { role, epoch } = raft;
    if (role !== 'leader' || epoch >= this.#newestEpoch) {
      if (role === 'leader') this.#newestEpoch = epoch;
      this.#deposed.delete(member.id);
      return;
    }
    const runningMs = this.#time.of(member);
    const { number: incarnation } = member.machine.incarnation;
    const known = this.#deposed.get(member.id);
    if (known?.incarnation !== incarnation) this.#deposed.set(member.id, { incarnation, sinceMs: runningMs });
    else if (runningMs - known.sinceMs > RESIGNED_MS)
      throw new InvariantViolation(
        'leader without its majority stays',
        `node ${member.id} leads epoch ${epoch}, ${RESIGNED_MS} ms after epoch ${this.#newestEpoch} began`,
      );
  }
}
