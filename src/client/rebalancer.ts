/** Carries out what the group asks of a consumer: gives up partitions, takes others, tells the listener. */

import type { Cluster } from './cluster.ts';
import type { RebalanceListener, StartFrom, TopicPartition } from './consumer-options.ts';
import type { ConsumerWatch } from './consumer-stats.ts';
import { type FetchPositions, keyOf, type PartitionState } from './fetch-positions.ts';
import type { GroupMember, PartitionId, ReconciliationStep } from './group-member.ts';

type NamedPartition = PartitionId & TopicPartition;

export class Rebalancer {
  readonly #cluster: Cluster;
  readonly #positions: FetchPositions;
  readonly #member: GroupMember;
  readonly #from: StartFrom;
  /** Commits, if that is automatic, what the application is through with. */
  readonly #commitDone: (states: readonly PartitionState[]) => Promise<void>;
  readonly #group: string;
  readonly #watch: ConsumerWatch;
  #hasChanged = false;
  listener: RebalanceListener = {};

  constructor(
    cluster: Cluster,
    positions: FetchPositions,
    member: GroupMember,
    from: StartFrom,
    commitDone: (states: readonly PartitionState[]) => Promise<void>,
    group: string,
    watch: ConsumerWatch,
  ) {
    this.#group = group;
    this.#watch = watch;
    this.#cluster = cluster;
    this.#positions = positions;
    this.#member = member;
    this.#from = from;
    this.#commitDone = commitDone;
  }

  /** Takes every step that can be taken; `onStep` is called after each, for the coordinator waits for the news. */
  async reconcile(onStep: () => void): Promise<void> {
    while (this.#member.hasStep) {
      const step = this.#member.begin();
      if (step === undefined) return this.#onSettled();
      // Topics that have no name yet wait for metadata; what is to be given up is found by its id.
      const named = step.kind === 'assign' ? this.#named(step.partitions) : [];
      const done = step.kind === 'assign' ? { ...step, partitions: named } : step;
      try {
        if (step.kind === 'assign') await this.#takeUp(named);
        else await this.#giveUp(step);
      } finally {
        this.#member.completed(done, this.#cluster.runtime.clock.monotonicMs());
        onStep();
      }
      if (done.partitions.length === 0) return;
    }
  }

  /** All steps are taken: if there were any, that was a rebalance. */
  #onSettled(): void {
    if (!this.#hasChanged) return;
    this.#hasChanged = false;
    this.#watch.stats.rebalances++;
    this.#watch.events.emit('rebalance', {
      group: this.#group,
      memberEpoch: this.#member.epoch,
      partitions: [...this.#positions.all()].map(({ topic, partition }) => ({ topic, partition })),
    });
  }

  #named(partitions: readonly PartitionId[]): NamedPartition[] {
    const named: NamedPartition[] = [];
    for (const { topicId, partition } of partitions) {
      const topic = this.#cluster.metadata.topicById(topicId)?.name;
      if (topic !== undefined) named.push({ topic, topicId, partition });
      else this.#cluster.addInterestById(topicId);
    }
    return named;
  }

  async #takeUp(partitions: readonly NamedPartition[]): Promise<void> {
    for (const { topic, topicId, partition } of partitions) {
      this.#positions.add(topic, partition, topicId, this.#from);
    }
    if (partitions.length === 0) return;
    const assigned = partitions.map(({ topic, partition }) => ({ topic, partition }));
    this.#hasChanged = true;
    this.#watch.events.emit('assigned', { partitions: assigned });
    await this.listener.onAssigned?.(assigned);
  }

  async #giveUp({ kind, partitions }: ReconciliationStep): Promise<void> {
    const ids = new Set(partitions.map(({ topicId, partition }) => keyOf(topicId, partition)));
    const states = [...this.#positions.all()].filter((s) => ids.has(keyOf(s.topicId, s.partition)));
    for (const state of states) this.#positions.suspend(state);
    const named = states.map(({ topic, partition }) => ({ topic, partition }));
    this.#hasChanged = true;
    this.#watch.events.emit(kind === 'lost' ? 'lost' : 'revoked', { partitions: named });
    try {
      if (kind === 'lost') {
        await this.listener.onLost?.(named);
      } else {
        await this.#commitDone(states);
        await this.listener.onRevoked?.(named);
      }
    } finally {
      for (const state of states) this.#positions.remove(state);
    }
  }
}
