import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode, SimCluster } from '../cluster/sim-cluster.ts';
import type { Invariant } from './invariant.ts';
import { InvariantViolation } from './violation.ts';

/** What a process held of the quorum's log when it ended. */
interface Held {
  readonly lastIndex: number;
  readonly syncedIndex: number;
  /** Since then: rot in what was written last cannot be told from a torn write. */
  lostPower: boolean;
}

/**
 * A restart finds the log of the quorum as memory last had it on the disk: nothing that was synced is gone, and nothing that
 * was cut off is back (etcd-io/etcd 22442).
 */
export class RecoveredQuorumLogs implements Invariant {
  readonly #held = new Map<number, Held>();

  constructor(cluster: SimCluster) {
    for (const member of cluster.nodes) {
      const { machine } = member;
      const before = machine.onCrash;
      machine.onCrash = (kind) => {
        if (member.node) this.#ended(member, member.node);
        const held = this.#held.get(member.id);
        if (held && kind === 'power') held.lostPower = true;
        before?.(kind);
      };
    }
  }

  onWiped({ id }: ClusterNode): void {
    this.#held.delete(id);
  }

  check({ id, machine }: ClusterNode, { raft }: OdradekNode): void {
    const held = this.#held.get(id);
    const lastIndex = held && raft.describe()?.lastIndex;
    if (!held || lastIndex === undefined) return;
    this.#held.delete(id);
    if (lastIndex < held.syncedIndex && !(machine.disk.isRotten && held.lostPower))
      throw new InvariantViolation(
        'synced entries lost in a restart',
        `node ${id}: ${held.syncedIndex} were synced, recovery found ${lastIndex}`,
      );
    if (lastIndex > held.lastIndex && held.syncedIndex === held.lastIndex)
      throw new InvariantViolation(
        'truncated entries are back after a restart',
        `node ${id}: the log ended at ${held.lastIndex}, recovery found ${lastIndex}`,
      );
  }

  #ended({ id }: ClusterNode, { raft, directoryId }: OdradekNode): void {
    const quorum = raft.describe();
    const replicas = quorum ? [...quorum.voters, ...quorum.observers] : [];
    const own = replicas.find((each) => each.id === id && each.directoryId === directoryId);
    if (quorum && own)
      this.#held.set(id, { lastIndex: quorum.lastIndex, syncedIndex: own.matchIndex, lostPower: false });
    else this.#held.delete(id);
  }
}
