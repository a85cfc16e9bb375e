import { VOTER_SETS_SINCE } from '../../src/raft/voter-set.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import type { FaultContext } from './fault.ts';

/** A quorum of fewer could not decide anything any more without the disk that is lost. */
const VOTERS_MIN = 3;

/**
 * Is every node up, every ISR full, and every voter there with its disk? One disk after the other may be lost, as long as
 * each is made good before the next one goes.
 */
export function isWhole({ cluster }: FaultContext): boolean {
  const { node: leader } = cluster.controller ?? {};
  if (!leader?.raft.canPropose) return false;
  // Amid an upgrade nobody could take the seat of a disk that is lost.
  if (leader.store.image.catalogueLevel < VOTER_SETS_SINCE) return false;
  const { voters } = leader.raft;
  const votes = (id: number, directoryId: string) => {
    const { node } = cluster.member(id);
    return node?.directoryId === directoryId && node.raft.isVoter;
  };
  return (
    voters.length >= VOTERS_MIN &&
    voters.every(({ id, directoryId }) => votes(id, directoryId)) &&
    cluster.nodes.every(isUp) &&
    cluster.nodes.every(({ machine }) => !machine.disk.isRotten) &&
    // With what is decided and not committed yet, which may be committed when the disk is gone.
    [...leader.controller.speculativeImage().sortedTopics()].every(({ partitions }) =>
      partitions.every(({ isr, replicas }) => isr.length === replicas.length && replicas.length > 1),
    )
  );
}

/** Does every other voter have all of the quorum's log? Where this one loses its end, nothing committed is lost. */
export function hasQuorumWithout({ id }: ClusterNode, { cluster }: FaultContext): boolean {
  const quorum = cluster.controller?.node?.raft.describe();
  return quorum?.voters.every((voter) => voter.id === id || voter.matchIndex >= quorum.lastIndex) ?? false;
}

const isUp = ({ machine, node }: ClusterNode): boolean =>
  machine.running && !machine.paused && node?.waitingFor === undefined;
