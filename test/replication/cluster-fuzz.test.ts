import { describe, expect, test } from 'vitest';
import { Prng } from '../../chaos/sim/prng.ts';
import { batch, SimCluster } from './support/sim-cluster.ts';

interface Sent {
  readonly partition: number;
  readonly value: number;
}

/** Faults at random while producers run: power losses, cut links, an unreachable controller, leader moves. */
class FaultyRun {
  readonly acknowledged: Sent[] = [];
  readonly refused = new Map<number, number>();
  readonly #cluster: SimCluster;
  readonly #random: Prng;
  readonly #partitions: number;
  #nextValue = 0;

  constructor(cluster: SimCluster, seed: number, partitions: number) {
    this.#cluster = cluster;
    this.#random = new Prng(`faults/${seed}`);
    this.#partitions = partitions;
  }

  async run(steps: number): Promise<void> {
    for (let step = 0; step < steps; step++) {
      for (let count = this.#pick(4); count > 0; count--) this.#produce();
      // Faults strike while records are on their way to the replicas and the disks.
      await this.#cluster.run(this.#pick(50));
      if (this.#random.float() < 0.25) await this.#fault();
      await this.#cluster.run(this.#pick(300));
    }
  }

  async heal(): Promise<void> {
    const cluster = this.#cluster;
    cluster.cut.clear();
    cluster.isControllerReachable = true;
    for (const id of [1, 2, 3]) if (!cluster.brokers.has(id)) await cluster.restart(id);
    for (const controller of cluster.controllers) for (const id of [1, 2, 3]) controller.unfence(id);
    cluster.publish();
    await cluster.run(30_000);
  }

  #produce(): void {
    const partition = this.#pick(this.#partitions);
    const leader = this.#cluster.leaderId(partition);
    if (!this.#cluster.brokers.has(leader)) return;
    const value = this.#nextValue++;
    const sent = { partition, value };
    void this.#cluster
      .produce(leader, { partition, timeoutMs: 5_000, bytes: batch(value) })
      .then(({ errorCode }) => {
        if (errorCode === 0) this.acknowledged.push(sent);
        else this.refused.set(errorCode, (this.refused.get(errorCode) ?? 0) + 1);
      });
  }

  async #fault(): Promise<void> {
    const cluster = this.#cluster;
    const id = 1 + this.#pick(3);
    switch (this.#pick(9)) {
      case 0:
        if (cluster.brokers.has(id)) cluster.powerLoss(id);
        return;
      case 8:
        // The power of the whole room: what was acknowledged was on disks, so even that loses nothing.
        for (const broker of [...cluster.brokers.keys()]) cluster.powerLoss(broker);
        await cluster.run(this.#pick(100));
        for (const down of [1, 2, 3]) await cluster.restart(down);
        return;
      case 1:
      case 2:
        for (const down of [1, 2, 3]) if (!cluster.brokers.has(down)) await cluster.restart(down);
        return;
      case 3:
        cluster.cut.add(`${id}>${1 + this.#pick(3)}`);
        return;
      case 4:
        cluster.cut.clear();
        return;
      case 5:
        cluster.isControllerReachable = this.#pick(2) === 0;
        return;
      default:
        for (const controller of cluster.controllers) controller.moveLeader(id);
        // Metadata reaches the brokers one after the other.
        for (const broker of [...cluster.brokers.keys()]) {
          cluster.publish([broker]);
          if (this.#pick(2) === 0) await cluster.run(this.#pick(50));
        }
    }
  }

  #pick(below: number): number {
    return Math.floor(this.#random.float() * below);
  }
}

describe('a cluster of replica managers under faults', () => {
  for (let seed = 1; seed <= 12; seed++) {
    test(`seed ${seed}: every acknowledged record is on every replica, and all replicas agree`, async () => {
      const partitions = 3;
      const cluster = await SimCluster.start({ seed, partitions, minInSyncReplicas: 1 + (seed % 2) });
      for (const node of cluster.world.nodes) node.disk.latency.syncMs = 15;
      const run = new FaultyRun(cluster, seed, partitions);
      await run.run(120);
      await run.heal();
      expect(run.acknowledged.length).toBeGreaterThan(20);
      for (let partition = 0; partition < partitions; partition++) {
        expect(cluster.controllers[partition]?.state.isr.length).toBe(3);
        const reference = await cluster.contents(1, partition);
        for (const id of [2, 3]) expect(await cluster.contents(id, partition)).toEqual(reference);
        for (const id of [1, 2, 3]) {
          const { log } = cluster.partition(id, partition);
          expect(log?.highWatermark).toBe(log?.logEndOffset);
        }
        const values = new Set(reference.map(({ value }) => value));
        const lost = run.acknowledged.filter(
          (sent) => sent.partition === partition && !values.has(sent.value),
        );
        expect(lost).toEqual([]);
      }
      for (const node of cluster.world.nodes) expect(node.crashes).toEqual([]);
    });
  }
});
