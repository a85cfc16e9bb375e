import type { ClusterNode, SimCluster } from '../cluster/sim-cluster.ts';

/** Nothing happens on a node for longer than this only while its process stands still. */
const PAUSE_MS = 300;

interface Life {
  readonly incarnation: number;
  runningMs: number;
  lastMs: number;
  /** Since when it runs without a pause. */
  steadySinceMs: number;
}

/** For how long the process on each node has been running, pauses left out: what may be asked of it by now. */
export class RunningTime {
  readonly #cluster: SimCluster;
  readonly #lives = new Map<number, Life>();

  constructor(cluster: SimCluster) {
    this.#cluster = cluster;
  }

  /** To be called at each event on the node. Of the present life, and monotonic within it. */
  of(member: ClusterNode): number {
    return this.#look(member).runningMs;
  }

  /** How long the last pause, or the start, is ago. */
  steadyMs(member: ClusterNode): number {
    return this.#cluster.world.nowMs - this.#look(member).steadySinceMs;
  }

  #look({ id, machine }: ClusterNode): Life {
    const { nowMs } = this.#cluster.world;
    const { number } = machine.incarnation;
    let life = this.#lives.get(id);
    if (life?.incarnation !== number) {
      life = { incarnation: number, runningMs: 0, lastMs: nowMs, steadySinceMs: nowMs };
      this.#lives.set(id, life);
    }
    const elapsedMs = nowMs - life.lastMs;
    life.lastMs = nowMs;
    life.runningMs += Math.min(elapsedMs, PAUSE_MS);
    if (elapsedMs > PAUSE_MS) life.steadySinceMs = nowMs;
    return life;
  }
}
