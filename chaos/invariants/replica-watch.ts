import type { PartitionLog } from '../../src/log/partition-log.ts';
import { deltaOf } from '../../src/metadata/delta.ts';
import type { MetadataImage, PartitionImage } from '../../src/metadata/image.ts';
import type { LedPartition } from '../../src/replication/led-partition.ts';
import type { Partition } from '../../src/replication/partition.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode } from '../cluster/sim-cluster.ts';
import { CommittedLog, DurableReader } from './committed-log.ts';
import { DeposedLeaders } from './deposed-leaders.ts';
import type { Invariant } from './invariant.ts';
import type { RecoveryPoints } from './recovery-points.ts';
import type { UnsyncedCopies } from './unsynced-copies.ts';
import { InvariantViolation } from './violation.ts';

/** One replica of one partition, over all lives of its node. */
interface Replica {
  readonly nodeId: number;
  readonly name: string;
  /** Everything below is durable, also while the node is down: as of the last event on it. */
  syncedOffset: number;
  /** Its disk was wiped while it was in the ISR, and it has not left that since: nothing is expected of it until then. */
  isLost: boolean;
  /** Where the log began then. */
  startOffset: number;
  /** The log of the present life. */
  log: PartitionLog | undefined;
  highWatermark: number;
  led: LedPartition | undefined;
  maximalIsr: ReadonlySet<number> | undefined;
  durable: DurableReader | undefined;
}

const NO_REPLICAS: ReadonlyMap<string, Replica> = new Map();

/**
 * The invariants of replication: one leader per partition and leader epoch; log start <= high watermark <= log end;
 * the high watermark never goes back and is at most the smallest synced end of the maximal ISR; whatever was committed
 * or acknowledged is on the disk of every member of ISR and ELR; committed prefixes are equal on the platters; a restart
 * finds everything that was synced.
 */
export class ReplicaWatch implements Invariant {
  readonly #image: () => MetadataImage;
  readonly #copies: UnsyncedCopies;
  readonly #recoveryPoints: RecoveryPoints;
  readonly #replicas = new Map<number, Map<string, Replica>>();
  /** How often the bits of each node's disk had flipped when it started last. */
  readonly #rotCounts = new Map<number, number>();
  readonly #deposed = new DeposedLeaders();
  readonly #leaders = new Map<string, string>();
  readonly #committed = new Map<string, CommittedLog>();
  /** The highest high watermark, or acknowledged end, of each partition. */
  readonly #safeEnd = new Map<string, number>();

  constructor(image: () => MetadataImage, copies: UnsyncedCopies, recoveryPoints: RecoveryPoints) {
    this.#image = image;
    this.#copies = copies;
    this.#recoveryPoints = recoveryPoints;
  }

  /** The node opened its logs after a start. */
  attach(member: ClusterNode, node: OdradekNode): void {
    for (const replica of this.#replicas.get(member.id)?.values() ?? []) {
      replica.log = undefined;
      replica.led = undefined;
    }
    const { rotCount } = member.machine.disk;
    const isRotten = rotCount !== (this.#rotCounts.get(member.id) ?? 0);
    this.#rotCounts.set(member.id, rotCount);
    for (const log of node.logs.all()) {
      const replica = this.#replica(member.id, log.name);
      // Rot in what was written last, and the power gone, cannot be told from a torn write, unless it was noted as synced.
      const mayBeTorn = log.logEndOffset >= this.#recoveryPoints.of(member.id, log.name);
      const isExcused =
        isRotten && this.#copies.lostPower(member.id) && mayBeTorn && log.logEndOffset < replica.syncedOffset;
      if (log.failed || isExcused) this.#lose(replica);
      // It is still gone where the process dies again at once. What a damaged log lost has no such excuse.
      if (isExcused) replica.syncedOffset = log.logEndOffset;
      if (log.failed || isExcused) continue;
      // With flush=os the power took what it took; who may lack what, `copies` knows.
      if (this.#copies.mayLack(log.name, member.id)) replica.syncedOffset = log.logEndOffset;
      else if (log.logEndOffset < replica.syncedOffset && !isEmpty(replica)) {
        const ends = `it had synced up to ${replica.syncedOffset}, recovery found ${log.logEndOffset}`;
        throw new InvariantViolation(
          'synced records lost in a restart',
          `${log.name}, node ${member.id}: ${ends}`,
        );
      }
    }
  }

  onWiped({ id }: ClusterNode): void {
    for (const { partitions } of this.#image().sortedTopics()) {
      for (const { topicId, partition, replicas, isr, elr } of partitions) {
        if (!replicas.includes(id)) continue;
        const replica = this.#replica(id, `${topicId}-${partition}`);
        replica.syncedOffset = 0;
        replica.isLost = isr.includes(id) || elr.includes(id);
      }
    }
  }

  /** A producer was told that everything up to this record is safe. */
  onAcknowledged(topicName: string, partition: number, offset: number): void {
    const topic = this.#image().topicByName(topicName);
    const image = topic?.partitions[partition];
    if (image) this.#safe(image, offset + 1, 'acknowledged');
  }

  onCommitted(before: MetadataImage, after: MetadataImage): void {
    for (const topic of deltaOf(before, after).topicsChanged)
      for (const partition of topic.partitions) this.#changed(partition);
  }

  /** The committed state of a partition changed. */
  #changed(image: PartitionImage): void {
    const name = `${image.topicId}-${image.partition}`;
    const end = this.#safeEnd.get(name) ?? 0;
    for (const id of image.replicas) {
      if (!image.isr.includes(id) && !image.elr.includes(id)) this.#replica(id, name).isLost = false;
    }
    for (const id of [...image.isr, ...image.elr]) this.#requireSynced(id, name, end, 'committed');
  }

  onReplicaChanged(member: ClusterNode, node: OdradekNode, partition: Partition, log: PartitionLog): void {
    const replica = this.#replica(member.id, log.name);
    if (replica.log !== log) this.#openedLog(member, node, replica, log);
    if (log.failed) this.#lose(replica);
    const { highWatermark, logStartOffset, logEndOffset, syncedOffset } = log;
    replica.startOffset = logStartOffset;
    if (syncedOffset !== replica.syncedOffset) this.#synced(replica, partition, syncedOffset);
    if (highWatermark !== replica.highWatermark) {
      const change = `${replica.highWatermark} to ${highWatermark}`;
      // Only a leader that lacks what was committed, elected where every copy may be gone, takes a follower back.
      if (highWatermark < replica.highWatermark && !this.#copies.mayLack(log.name, member.id))
        this.#fail('high watermark goes back', replica, change);
      // What is left of a damaged log may end before the start that was noted: nobody reads it.
      if (!log.failed && (highWatermark < logStartOffset || highWatermark > logEndOffset))
        this.#fail(
          'high watermark outside the log',
          replica,
          `${change} in ${logStartOffset}..${logEndOffset}`,
        );
      replica.highWatermark = highWatermark;
      const image = this.#image().partition(log.topicId, log.partition);
      if (image) this.#safe(image, highWatermark, 'below the high watermark');
      if (partition.led) this.#checkMaximalIsr(replica, partition.led, highWatermark);
      if (log.config.flush === 'sync' && !member.machine.disk.isRotten)
        replica.durable?.readTo(Math.min(highWatermark, syncedOffset), logStartOffset);
    } else if (!log.failed && (logStartOffset > highWatermark || logEndOffset < highWatermark)) {
      const range = `${highWatermark} in ${logStartOffset}..${logEndOffset}`;
      this.#fail('high watermark outside the log', replica, range);
    }
    const { led } = partition;
    if (led !== replica.led) this.#roleChanged(member, replica, led);
    if (led) this.#deposed.check(member.id, led, log);
    if (led && led.core.maximalIsr !== replica.maximalIsr) this.#checkMaximalIsr(replica, led, highWatermark);
  }

  #openedLog(member: ClusterNode, node: OdradekNode, replica: Replica, log: PartitionLog): void {
    // A log that was damaged and started over, or that of a new topic: the members' check below tells whether it may.
    replica.log = log;
    replica.highWatermark = 0;
    const folder = `${node.config.dataDir}/log/${log.name}`;
    const who = `node ${member.id}`;
    replica.durable = new DurableReader(member.machine.disk, folder, who, this.#committedLog(log.name));
  }

  #synced(replica: Replica, partition: Partition, syncedOffset: number): void {
    const shrank = syncedOffset < replica.syncedOffset;
    replica.syncedOffset = syncedOffset;
    if (!shrank) return;
    const image = this.#image().partition(partition.topicId, partition.partition);
    if (image) this.#changed(image);
  }

  #roleChanged(member: ClusterNode, replica: Replica, led: LedPartition | undefined): void {
    replica.led = led;
    replica.maximalIsr = undefined;
    if (!led) return;
    const key = `${replica.name} epoch ${led.core.leaderEpoch}`;
    const who = `${member.id}/${member.machine.incarnation.number}`;
    const other = this.#leaders.get(key);
    if (other !== undefined && other !== who)
      throw new InvariantViolation('two partition leaders in one epoch', `${key}: ${other} and ${who}`);
    this.#leaders.set(key, who);
  }

  #checkMaximalIsr(replica: Replica, { core }: LedPartition, highWatermark: number): void {
    replica.maximalIsr = core.maximalIsr;
    // A leader that was replaced and does not know it yet counts an ISR of the past.
    const image = this.#leaderImage(replica);
    if (image?.leaderEpoch !== core.leaderEpoch) return;
    // So does one whose ISR was changed without its knowing, but who is in it still must have everything.
    const isBehind = image.partitionEpoch > core.partitionEpoch;
    for (const id of core.maximalIsr) {
      if (isBehind && !image.isr.includes(id)) continue;
      this.#requireSynced(id, replica.name, highWatermark, 'the high watermark');
    }
  }

  #leaderImage({ log }: Replica): PartitionImage | undefined {
    return log && this.#image().partition(log.topicId, log.partition);
  }

  #safe(image: PartitionImage, end: number, why: string): void {
    const name = `${image.topicId}-${image.partition}`;
    if (end <= (this.#safeEnd.get(name) ?? 0)) return;
    this.#safeEnd.set(name, end);
    for (const id of [...image.isr, ...image.elr]) this.#requireSynced(id, name, end, why);
  }

  /** It found its log damaged and stands down: nothing is expected of it until it has left ISR and ELR. */
  #lose(replica: Replica): void {
    const [topicId = '', partition] = [replica.name.slice(0, 22), Number(replica.name.slice(23))];
    const { isr = [], elr = [] } = this.#image().partition(topicId, partition) ?? {};
    replica.isLost ||= [...isr, ...elr].includes(replica.nodeId);
    this.#copies.onLost(replica.name, replica.nodeId);
  }

  #requireSynced(nodeId: number, name: string, end: number, why: string): void {
    const replica = this.#replica(nodeId, name);
    if (replica.syncedOffset < end && !replica.isLost && !this.#copies.mayLack(name, nodeId))
      this.#fail('in-sync replica lacks records', replica, `synced ${replica.syncedOffset}, ${why}: ${end}`);
  }

  #replica(nodeId: number, name: string): Replica {
    const ofNode = this.#replicas.get(nodeId) ?? new Map<string, Replica>(NO_REPLICAS);
    this.#replicas.set(nodeId, ofNode);
    let replica = ofNode.get(name);
    if (!replica) {
      replica = {
        ...{ nodeId, name, syncedOffset: 0, startOffset: 0, highWatermark: 0, isLost: false },
        ...{ log: undefined, led: undefined, maximalIsr: undefined, durable: undefined },
      };
      ofNode.set(name, replica);
    }
    return replica;
  }

  #committedLog(name: string): CommittedLog {
    const log = this.#committed.get(name) ?? new CommittedLog(name);
    this.#committed.set(name, log);
    return log;
  }

  #fail(rule: string, replica: Replica, message: string): never {
    throw new InvariantViolation(rule, `${replica.name}, node ${replica.nodeId}: ${message}`);
  }
}

/** It held nothing that a restart could lose: it had started over where its leader's log begins. */
const isEmpty = ({ startOffset, syncedOffset }: Replica) => startOffset >= syncedOffset;
