/**
 * The in-sync replicas of one partition as its leader knows them: what the controller committed, and the one change that
 * may be under way (KIP-497). Every change is a compare-and-set on the partition epoch; while its fate is unknown, the
 * high watermark must count the union of both: the maximal ISR. A pure core.
 */

import { ERROR_CODE } from '../protocol/errors.ts';

/** One attempt to change the ISR, to be sent to the controller. `id` comes back with its outcome. */
export interface IsrProposal {
  readonly id: number;
  readonly isr: readonly number[];
  readonly partitionEpoch: number;
}

/** What became of an attempt; `unknown` when no answer came: it may have been carried out, now or later. */
export type AlterOutcome =
  | 'unknown'
  | {
      readonly errorCode: number;
      readonly leaderEpoch: number;
      readonly isr: readonly number[];
      readonly partitionEpoch: number;
    };

/** How an outcome left the state. `stale`: it belongs to a change that metadata has overtaken. */
export type Settled = 'committed' | 'rolledBack' | 'retry' | 'stale';

interface Pending {
  readonly id: number;
  readonly added: readonly number[];
  proposed: readonly number[];
  inFlight: boolean;
  /** An earlier attempt got no answer: it may still be on its way to the controller. */
  uncertain: boolean;
  attempts: number;
  retryAtMs: number;
}

/** Answers that say the controller refused, and changed nothing. All others may pass: the proposal is sent again. */
const REFUSALS: ReadonlySet<number> = new Set([
  ERROR_CODE.INELIGIBLE_REPLICA,
  ERROR_CODE.INVALID_REQUEST,
  ERROR_CODE.OPERATION_NOT_ATTEMPTED,
  ERROR_CODE.UNKNOWN_TOPIC_ID,
  ERROR_CODE.UNKNOWN_TOPIC_OR_PARTITION,
]);

export class IsrState {
  #isr: ReadonlySet<number>;
  #maximal: ReadonlySet<number>;
  #partitionEpoch: number;
  #pending: Pending | undefined;
  #nextId = 1;
  readonly #backoffMsMin: number;
  readonly #backoffMsMax: number;

  constructor(
    isr: readonly number[],
    partitionEpoch: number,
    limits: { readonly alterBackoffMsMin: number; readonly alterBackoffMsMax: number },
  ) {
    this.#isr = new Set(isr);
    this.#maximal = this.#isr;
    this.#partitionEpoch = partitionEpoch;
    this.#backoffMsMin = limits.alterBackoffMsMin;
    this.#backoffMsMax = limits.alterBackoffMsMax;
  }

  /** The committed ISR. */
  get committed(): ReadonlySet<number> {
    return this.#isr;
  }

  /** Every replica that may be in the ISR, whatever became of the pending change. */
  get maximal(): ReadonlySet<number> {
    return this.#maximal;
  }

  get partitionEpoch(): number {
    return this.#partitionEpoch;
  }

  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  /** Starts a change; there must be none under way. */
  propose(isr: readonly number[], nowMs: number): void {
    if (this.#pending) throw new Error(`a change of the ISR is pending already: ${this.#describe()}`);
    const added = isr.filter((id) => !this.#isr.has(id));
    this.#pending = {
      id: this.#nextId++,
      added,
      proposed: isr,
      inFlight: false,
      uncertain: false,
      attempts: 0,
      retryAtMs: nowMs,
    };
    this.#maximal = new Set([...this.#isr, ...added]);
  }

  hasDueProposal(nowMs: number): boolean {
    const pending = this.#pending;
    return pending !== undefined && !pending.inFlight && nowMs >= pending.retryAtMs;
  }

  /** The attempt to send now, if one is due. At most one is out at a time; its outcome goes to `settle`. */
  takeProposal(nowMs: number): IsrProposal | undefined {
    const pending = this.#pending;
    if (!pending || !this.hasDueProposal(nowMs)) return undefined;
    pending.inFlight = true;
    pending.attempts++;
    return { id: pending.id, isr: pending.proposed, partitionEpoch: this.#partitionEpoch };
  }

  /** The outcome of the attempt with this id, in whatever order it comes with metadata updates (KAFKA-12686). */
  settle(id: number, outcome: AlterOutcome, leaderEpoch: number, nowMs: number): Settled {
    const pending = this.#pending;
    if (pending?.id !== id) return 'stale';
    pending.inFlight = false;
    if (outcome === 'unknown') {
      pending.uncertain = true;
      return this.#retry(pending, nowMs);
    }
    if (outcome.errorCode === ERROR_CODE.NONE) {
      // A leader that was replaced keeps counting the union until metadata tells it so.
      if (outcome.leaderEpoch !== leaderEpoch) return this.#retry(pending, nowMs);
      if (outcome.partitionEpoch < this.#partitionEpoch) return this.#retry(pending, nowMs);
      this.#commit(outcome.isr, outcome.partitionEpoch);
      return 'committed';
    }
    // Anything else does not say that nothing was changed: an earlier attempt may have been, its answer lost.
    if (!REFUSALS.has(outcome.errorCode)) return this.#retry(pending, nowMs);
    if (pending.uncertain && pending.added.length > 0) {
      // An attempt to expand may still arrive late and be accepted. Setting the committed ISR again moves the partition
      // epoch, which fences it; until that is done the replicas that it would add keep counting.
      pending.proposed = [...this.#isr];
      return this.#retry(pending, nowMs);
    }
    this.#clear();
    return 'rolledBack';
  }

  /** Committed metadata, from the controller's log. Older than what is known already: ignored, returns false. */
  update(isr: readonly number[], partitionEpoch: number): boolean {
    if (partitionEpoch <= this.#partitionEpoch) return false;
    // The pending change compared with an older epoch: it either became this one or can never succeed.
    this.#commit(isr, partitionEpoch);
    return true;
  }

  #commit(isr: readonly number[], partitionEpoch: number): void {
    this.#isr = new Set(isr);
    this.#partitionEpoch = partitionEpoch;
    this.#clear();
  }

  #clear(): void {
    this.#pending = undefined;
    this.#maximal = this.#isr;
  }

  #retry(pending: Pending, nowMs: number): Settled {
    const backoffMs = Math.min(
      this.#backoffMsMax,
      this.#backoffMsMin * 2 ** Math.min(pending.attempts - 1, 10),
    );
    pending.retryAtMs = nowMs + backoffMs;
    return 'retry';
  }

  #describe(): string {
    return `isr ${[...this.#isr]}, maximal ${[...this.#maximal]}, partition epoch ${this.#partitionEpoch}`;
  }
}
