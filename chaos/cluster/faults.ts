import type { Fault, Plan, Target } from '../schedule.ts';
import type { Prng } from '../sim/prng.ts';
import type { SimWorld } from '../sim/world.ts';
import type { ClusterWatch } from './invariants.ts';
import type { ClusterNode, SimCluster } from './sim-cluster.ts';
import type { Workload } from './workload.ts';

export interface FaultsOptions {
  readonly world: SimWorld;
  readonly cluster: SimCluster;
  readonly workload: Workload;
  readonly watch: ClusterWatch;
  readonly topic: string;
  readonly random: Prng;
}

/** Carries a plan's steps out, and takes each fault back when its time is over. */
export class Faults {
  readonly #o: FaultsOptions;
  /** What the network was like before anything was done to it. */
  readonly #conditions: SimWorld['network']['conditions'];
  readonly #syncMs: number;

  constructor(options: FaultsOptions) {
    this.#o = options;
    this.#conditions = { ...options.world.network.conditions };
    this.#syncMs = options.cluster.nodes[0]?.machine.disk.latency.syncMs ?? 1;
  }

  /** Runs the world through all steps, up to the end of the last fault that is still on. */
  async carryOut({ steps }: Plan): Promise<void> {
    const { world } = this.#o;
    for (const { afterMs, forMs, fault } of steps) {
      await world.run(world.nowMs + afterMs);
      world.trace.add(`fault ${JSON.stringify(fault)}`);
      const takeBack = this.#strike(fault);
      if (takeBack) world.schedule(forMs, `end of ${fault.kind}`, takeBack);
    }
    await world.run(world.nowMs + Math.max(500, steps.at(-1)?.forMs ?? 0));
  }

  /** Takes every fault back at once. */
  heal(): void {
    const { world, cluster } = this.#o;
    world.network.heal();
    Object.assign(world.network.conditions, this.#conditions);
    for (const member of cluster.nodes) {
      const { machine } = member;
      machine.disk.clearFaults();
      machine.disk.latency.syncMs = this.#syncMs;
      machine.drift(1);
      if (machine.paused) machine.resume();
      if (!machine.running) cluster.start(member);
    }
  }

  /** Returns what takes the fault back, where it has to be. */
  #strike(fault: Fault): (() => void) | undefined {
    const { world, workload, cluster } = this.#o;
    const { network } = world;
    switch (fault.kind) {
      case 'kill':
        return this.#kill(this.#resolve(fault.target), fault.how);
      case 'stop': {
        const member = this.#resolve(fault.target);
        const { incarnation } = member.machine;
        cluster.stop(member);
        return () => {
          if (member.machine.incarnation === incarnation) this.#kill(member, 'process')();
        };
      }
      case 'failSync': {
        const { machine } = this.#resolve(fault.target);
        machine.disk.inject({ operation: 'sync', code: 'EIO' });
        return () => this.#restartAll();
      }
      case 'blackout': {
        const restarts = cluster.nodes.map((member) => this.#kill(member, 'power'));
        return () => {
          for (const restart of restarts) restart();
        };
      }
      case 'isolate': {
        const { name } = this.#resolve(fault.target).machine;
        const others = cluster.nodes.map(({ machine }) => machine.name).filter((other) => other !== name);
        if (fault.direction !== 'out') network.cutOneWay(others, name);
        if (fault.direction !== 'in') network.cutOneWay(name, others);
        return () => network.heal(name, others);
      }
      case 'cut': {
        const [left, right] = fault.between.map((id) => cluster.member(id).machine.name) as [string, string];
        if (fault.isOneWay) network.cutOneWay(left, right);
        else network.cut(left, right);
        return () => network.heal(left, right);
      }
      case 'cutClients': {
        const { name } = this.#resolve(fault.target).machine;
        network.cut(name, workload.machineNames);
        return () => network.heal(name, workload.machineNames);
      }
      case 'pause': {
        const { machine } = this.#resolve(fault.target);
        if (!machine.running || machine.paused) return undefined;
        machine.pause();
        return () => {
          if (machine.paused) machine.resume();
        };
      }
      case 'slowNetwork':
      case 'badNetwork': {
        const { kind: _, ...conditions } = fault;
        Object.assign(network.conditions, conditions);
        return () => Object.assign(network.conditions, this.#conditions);
      }
      case 'slowDisk': {
        const { latency } = this.#resolve(fault.target).machine.disk;
        latency.syncMs = fault.syncMs;
        return () => {
          latency.syncMs = this.#syncMs;
        };
      }
      case 'clockJump':
        this.#resolve(fault.target).machine.wallOffsetMs += fault.jumpMs;
        return undefined;
      case 'clockDrift': {
        const { machine } = this.#resolve(fault.target);
        machine.drift(fault.rate);
        return () => machine.drift(1);
      }
      case 'killMember':
        workload.killMember(fault.member);
        return undefined;
      case 'administer':
        workload.administer(fault.act);
        return undefined;
    }
  }

  #restartAll(): void {
    const { cluster } = this.#o;
    for (const member of cluster.nodes) if (!member.machine.running) cluster.start(member);
  }

  #kill(member: ClusterNode, how: 'process' | 'power'): () => void {
    this.#o.cluster.kill(member, how);
    return () => {
      if (!member.machine.running) this.#o.cluster.start(member);
    };
  }

  #resolve(target: Target): ClusterNode {
    const { cluster, watch, topic, random } = this.#o;
    const any = () => random.pick(cluster.nodes);
    switch (target.who) {
      case 'node':
        return cluster.member(target.id);
      case 'controller':
        return cluster.controller ?? any();
      case 'leader':
      case 'follower': {
        const image = watch.images.image.topicByName(topic)?.partitions[target.partition];
        if (!image || image.leader < 0) return any();
        if (target.who === 'leader') return cluster.member(image.leader);
        return cluster.member(random.pick(image.replicas.filter((id) => id !== image.leader)));
      }
    }
  }
}
