import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode, SimCluster } from '../cluster/sim-cluster.ts';
import type { Plan } from '../plan.ts';
import type { Incarnation } from '../sim/node.ts';
import type { SimLogLine } from '../sim/world.ts';
import type { Invariant } from './invariant.ts';
import { InvariantViolation } from './violation.ts';

/** Faults beside which it is known who hears whom. */
const CALM: ReadonlySet<string> = new Set(['kill', 'stop', 'killClient']);
/** A process that is younger may lack a part of the log. */
const STEADY_MS = 1500;

/**
 * A controller that stops in good order finds its successor in one round, though the others hear it still (KAFKA-20895):
 * where all voters are well, and nothing but processes was struck.
 */
export class Handovers implements Invariant {
  readonly #cluster: SimCluster;
  readonly #isCalm: boolean;
  /** By node: the voters that were well when it began to hand over. */
  readonly #asked = new Map<string, readonly Incarnation[]>();
  readonly #sinceMs = new WeakMap<Incarnation, number>();
  #violation: InvariantViolation | undefined;

  constructor(cluster: SimCluster, { steps }: Plan) {
    this.#cluster = cluster;
    this.#isCalm = steps.every(({ fault }) => CALM.has(fault.kind));
    cluster.world.onLogLine.push((line) => this.#onLine(line));
  }

  attach({ machine }: ClusterNode): void {
    this.#sinceMs.set(machine.incarnation, this.#cluster.world.nowMs);
  }

  check(_: ClusterNode, __: OdradekNode): void {
    if (this.#violation) throw this.#violation;
  }

  #onLine({ node, message, atMs }: SimLogLine): void {
    if (!this.#isCalm) return;
    if (message === 'Handing leadership over: this node stops')
      this.#asked.set(node, this.#others(node, atMs));
    if (message !== 'Resigning without a successor: none took over in time') return;
    const asked = this.#asked.get(node) ?? [];
    const voters = this.#cluster.nodes.find(({ machine }) => machine.name === node)?.node?.raft.voters ?? [];
    if (asked.length === voters.length - 1 && asked.every(({ alive }) => alive))
      this.#violation = new InvariantViolation(
        'handover found no successor',
        `${node}, of ${voters.length} voters`,
      );
  }

  #others(name: string, atMs: number): Incarnation[] {
    return this.#cluster.nodes.flatMap(({ machine: { name: other, incarnation }, node }) => {
      const isSteady = atMs - (this.#sinceMs.get(incarnation) ?? atMs) >= STEADY_MS;
      return other !== name && node?.raft.isVoter && incarnation.alive && isSteady ? [incarnation] : [];
    });
  }
}
