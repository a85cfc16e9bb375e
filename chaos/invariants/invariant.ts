import type { PartitionLog } from '../../src/log/partition-log.ts';
import type { MetadataImage } from '../../src/metadata/image.ts';
import type { Partition } from '../../src/replication/partition.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';

/**
 * Something that must hold at every moment; each of these throws an `InvariantViolation` when it does not. To add one: a file
 * like its neighbours, and its line in `index.ts`.
 */
export interface Invariant {
  /** The node opened its logs after a start and did nothing yet. */
  attach?(member: ClusterNode, node: OdradekNode): void;
  /** The node's disk was wiped: what it had promised is gone with it. */
  onWiped?(member: ClusterNode): void;
  /** After each event on this node: look only at what changed. */
  check?(member: ClusterNode, node: OdradekNode): void;
  /** After each event on this node that changed this replica; after each one at all while its log is damaged. */
  onReplicaChanged?(member: ClusterNode, node: OdradekNode, partition: Partition, log: PartitionLog): void;
  /** A metadata entry was committed, for the first time anywhere. */
  onCommitted?(before: MetadataImage, after: MetadataImage): void;
  /** A producer was told that everything up to this record is safe. */
  onAcknowledged?(topic: string, partition: number, offset: number): void;
}
