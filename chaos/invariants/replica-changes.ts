import type { PartitionLog } from '../../src/log/partition-log.ts';
import type { LedPartition } from '../../src/replication/led-partition.ts';
import type { Partition } from '../../src/replication/partition.ts';
import type { OdradekNode } from '../../src/server/node.ts';

/** What the invariants go by, of one replica on a running node. */
interface Shown {
  log: PartitionLog | undefined;
  startOffset: number;
  endOffset: number;
  syncedOffset: number;
  highWatermark: number;
  led: LedPartition | undefined;
  maximalIsr: ReadonlySet<number> | undefined;
}

interface Watched {
  readonly partition: Partition;
  readonly shown: Shown;
}

/** Tells which replicas of a node an event changed: nearly every event leaves nearly all of them as they were. */
export class ReplicaChanges {
  readonly #watched = new WeakMap<OdradekNode, Watched[]>();

  /** The node opened its logs after a start. */
  attach(node: OdradekNode): void {
    const { replicas } = node;
    this.#list(node);
    const apply = replicas.applyAssignments.bind(replicas);
    replicas.applyAssignments = (delta) => {
      const applied = apply(delta);
      this.#list(node);
      return applied;
    };
  }

  /** Calls with each replica that looks other than it did last time, or whose log is damaged. */
  forEach(node: OdradekNode, changed: (partition: Partition, log: PartitionLog) => void): void {
    for (const { partition, shown } of this.#watched.get(node) ?? []) {
      const log = partition.log as unknown as PartitionLog | undefined;
      if (log && (isChanged(shown, partition, log) || log.failed)) changed(partition, log);
    }
  }

  /** Replicas come and go with assignments alone. */
  #list(node: OdradekNode): void {
    const known = new Map(this.#watched.get(node)?.map((each) => [each.partition, each]));
    const watched = Array.from(
      node.replicas.partitions(),
      (partition) => known.get(partition) ?? { partition, shown: nothing() },
    );
    this.#watched.set(node, watched);
  }
}

function nothing(): Shown {
  const offsets = { startOffset: 0, endOffset: 0, syncedOffset: 0, highWatermark: 0 };
  return { log: undefined, ...offsets, led: undefined, maximalIsr: undefined };
}

/** Compares, and takes over what is there now. */
function isChanged(shown: Shown, { led }: Partition, log: PartitionLog): boolean {
  const { logStartOffset, logEndOffset, syncedOffset, highWatermark } = log;
  const maximalIsr = led?.core.maximalIsr;
  if (
    shown.endOffset === logEndOffset &&
    shown.syncedOffset === syncedOffset &&
    shown.highWatermark === highWatermark &&
    shown.startOffset === logStartOffset &&
    shown.maximalIsr === maximalIsr &&
    shown.led === led &&
    shown.log === log
  )
    return false;
  shown.log = log;
  shown.startOffset = logStartOffset;
  shown.endOffset = logEndOffset;
  shown.syncedOffset = syncedOffset;
  shown.highWatermark = highWatermark;
  shown.led = led;
  shown.maximalIsr = maximalIsr;
  return true;
}
