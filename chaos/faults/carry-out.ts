import type { MetadataImage } from '../../src/metadata/image.ts';
import type { ClusterNode, SimCluster } from '../cluster/sim-cluster.ts';
import type { Coverage } from '../coverage.ts';
import type { Plan } from '../plan.ts';
import type { Prng } from '../sim/prng.ts';
import type { SimWorld } from '../sim/world.ts';
import type { Workloads } from '../workloads/workloads.ts';
import { type FaultContext, type FaultKind, HELD_BACK, type TakeBack } from './fault.ts';
import { FAULTS, type Fault } from './index.ts';
import type { Target } from './target.ts';

const KINDS = new Map<string, FaultKind>(FAULTS.map((kind) => [kind.kind, kind as unknown as FaultKind]));
/** The network is left as it is for so long at least after the last step. */
const LAST_MS_MIN = 500;

export interface CarryOutOptions {
  readonly world: SimWorld;
  readonly cluster: SimCluster;
  readonly workloads: Workloads;
  readonly image: () => MetadataImage;
  readonly random: Prng;
  readonly coverage: Coverage;
}

/** Carries a plan's steps out, and takes each fault back when its time is over. */
export class CarryOut implements FaultContext {
  readonly world: SimWorld;
  readonly cluster: SimCluster;
  readonly workloads: Workloads;
  readonly random: Prng;
  readonly image: () => MetadataImage;
  readonly resolve = (target: Target): ClusterNode => this.#resolve(target);
  readonly coverage: Coverage;
  readonly #open = new Set<TakeBack>();

  constructor({ world, cluster, workloads, image, random, coverage }: CarryOutOptions) {
    this.world = world;
    this.cluster = cluster;
    this.workloads = workloads;
    this.image = image;
    this.random = random;
    this.coverage = coverage;
  }

  /** Runs the world through all steps and up to the plan's end, or that of the last fault if it is later. */
  async run({ steps, forMs }: Plan): Promise<void> {
    const { world } = this;
    const startMs = world.nowMs;
    for (const { afterMs, forMs: faultMs, fault } of steps) {
      await world.run(world.nowMs + afterMs);
      world.trace.add(`fault ${JSON.stringify(fault)}`);
      this.#strike(fault, faultMs);
    }
    const lastMs = Math.max(LAST_MS_MIN, steps.at(-1)?.forMs ?? 0);
    await world.run(Math.max(startMs + forMs, world.nowMs + lastMs));
  }

  /** Takes every fault back at once, and starts what is down. */
  heal(): void {
    for (const takeBack of this.#open) takeBack();
    this.#open.clear();
    this.world.network.heal();
    for (const { machine } of this.cluster.nodes) machine.disk.clearFaults();
    this.#finishUpgrade();
    this.restartAll();
  }

  /** Nobody stops half way: until the last node reads it, what the newer release can tell is not told. */
  #finishUpgrade(): void {
    const { nodes } = this.cluster;
    if (nodes.every(({ config }) => config.catalogueVersion !== undefined)) return;
    for (const member of nodes) {
      if (member.config.catalogueVersion === undefined) continue;
      member.config = {};
      if (member.machine.running) this.cluster.kill(member, 'process');
    }
  }

  kill(member: ClusterNode, how: 'process' | 'power'): () => void {
    this.cluster.kill(member, how);
    return () => {
      if (!member.machine.running) this.cluster.start(member);
    };
  }

  restartAll(): void {
    for (const member of this.cluster.nodes) if (!member.machine.running) this.cluster.start(member);
  }

  #strike(fault: Fault, forMs: number): void {
    const kind = KINDS.get(fault.kind);
    if (!kind) throw new Error(`there is no fault ${fault.kind}`);
    const takeBack = kind.strike(fault, this);
    this.coverage.note(takeBack === HELD_BACK ? 'held back' : 'fault', fault.kind);
    if (takeBack === undefined || takeBack === HELD_BACK) return;
    if (this.#open.size > 0) this.coverage.note('situation', 'two faults at once');
    this.#open.add(takeBack);
    this.world.schedule(forMs, `end of ${fault.kind}`, () => {
      if (this.#open.delete(takeBack)) takeBack();
    });
  }

  #resolve(target: Target): ClusterNode {
    const { cluster, random } = this;
    const any = () => random.pick(cluster.nodes);
    switch (target.who) {
      case 'node':
        return cluster.member(target.id);
      case 'controller':
        return cluster.controller ?? any();
      case 'leader':
      case 'follower': {
        const partition = this.image().topicByName(this.workloads.topic.name)?.partitions[target.partition];
        if (!partition || partition.leader < 0) return any();
        if (target.who === 'leader') return cluster.member(partition.leader);
        return cluster.member(random.pick(partition.replicas.filter((id) => id !== partition.leader)));
      }
    }
  }
}
