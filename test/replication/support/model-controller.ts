import { ERROR_CODE } from '../../../src/protocol/errors.ts';
import type { LeaderProposal } from '../../../src/replication/partition-leader.ts';

export interface PartitionState {
  readonly replicas: readonly number[];
  readonly isr: readonly number[];
  readonly elr: readonly number[];
  readonly leader: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly minInSyncReplicas: number;
}

export interface AlterAnswer {
  readonly errorCode: number;
  readonly leaderEpoch: number;
  readonly isr: readonly number[];
  readonly partitionEpoch: number;
}

/** One partition as its controller sees it: compare-and-set ISR changes, fencing, elections from ISR and ELR (KIP-966). */
export class ModelController {
  /** Every committed state, oldest first: the metadata log. */
  readonly history: PartitionState[];
  readonly #fenced = new Set<number>();
  readonly #brokerEpochs = new Map<number, number>();

  constructor(replicas: readonly number[], minInSyncReplicas: number) {
    const leader = replicas[0] ?? -1;
    this.history = [
      { replicas, isr: replicas, elr: [], leader, leaderEpoch: 1, partitionEpoch: 0, minInSyncReplicas },
    ];
    for (const id of replicas) this.#brokerEpochs.set(id, 1);
  }

  get state(): PartitionState {
    return this.history[this.history.length - 1] as PartitionState;
  }

  isFenced(id: number): boolean {
    return this.#fenced.has(id);
  }

  brokerEpoch(id: number): number {
    return this.#brokerEpochs.get(id) ?? -1;
  }

  /** A process registers: fenced, under a new epoch, and whatever it led it leads no longer. */
  register(id: number): void {
    this.#brokerEpochs.set(id, this.brokerEpoch(id) + 1);
    this.fence(id);
  }

  fence(id: number): void {
    this.#fenced.add(id);
    const { isr, elr, minInSyncReplicas, leader } = this.state;
    const rest = isr.filter((member) => member !== id);
    if (rest.length === 0) {
      if (leader === id) this.#commit({ leader: -1 }, true);
      return;
    }
    const eligible = rest.length < minInSyncReplicas && isr.includes(id) ? [...elr, id] : elr;
    if (rest.length === isr.length && leader !== id) return;
    this.#commit({ isr: rest, elr: eligible, ...(leader === id ? { leader: -1 } : {}) }, leader === id);
    this.#elect();
  }

  unfence(id: number): void {
    this.#fenced.delete(id);
    this.#elect();
  }

  /** Moves leadership to another eligible replica. */
  moveLeader(to: number): void {
    const { isr, leader } = this.state;
    if (to !== leader && isr.includes(to) && !this.#fenced.has(to)) this.#commit({ leader: to }, true);
  }

  alter(from: number, proposal: LeaderProposal): AlterAnswer {
    const state = this.state;
    const refuse = (errorCode: number): AlterAnswer => ({
      errorCode,
      leaderEpoch: 0,
      isr: [],
      partitionEpoch: 0,
    });
    if (from !== state.leader || proposal.leaderEpoch !== state.leaderEpoch) {
      return refuse(ERROR_CODE.FENCED_LEADER_EPOCH);
    }
    if (proposal.partitionEpoch !== state.partitionEpoch) return refuse(ERROR_CODE.INVALID_UPDATE_VERSION);
    for (const { brokerId, brokerEpoch } of proposal.isr) {
      if (this.#fenced.has(brokerId)) return refuse(ERROR_CODE.INELIGIBLE_REPLICA);
      const isCurrent = brokerEpoch < 0 || brokerEpoch === this.brokerEpoch(brokerId);
      if (!isCurrent) return refuse(ERROR_CODE.INELIGIBLE_REPLICA);
    }
    const isr = proposal.isr.map(({ brokerId }) => brokerId);
    const removed = state.isr.filter((id) => !isr.includes(id));
    const isEnough = isr.length >= state.minInSyncReplicas;
    const elr = isEnough ? [] : [...state.elr, ...removed].filter((id) => !isr.includes(id));
    this.#commit({ isr, elr }, false);
    const { leaderEpoch, partitionEpoch } = this.state;
    return { errorCode: ERROR_CODE.NONE, leaderEpoch, isr, partitionEpoch };
  }

  #elect(): void {
    const { leader, isr, elr } = this.state;
    if (leader >= 0) return;
    const live = (id: number) => !this.#fenced.has(id);
    const member = isr.find(live);
    if (member !== undefined) {
      this.#commit({ leader: member }, true);
      return;
    }
    const eligible = elr.find(live);
    if (eligible === undefined) return;
    // What was in the ISR stays eligible: it has every committed record as well.
    const others = [...elr, ...isr].filter((id) => id !== eligible);
    this.#commit({ leader: eligible, isr: [eligible], elr: others }, true);
  }

  #commit(change: Partial<PartitionState>, bumpLeaderEpoch: boolean): void {
    const before = this.state;
    this.history.push({
      ...before,
      ...change,
      leaderEpoch: before.leaderEpoch + (bumpLeaderEpoch ? 1 : 0),
      partitionEpoch: before.partitionEpoch + 1,
    });
  }
}
