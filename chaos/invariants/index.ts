import type { MetadataImage } from '../../src/metadata/image.ts';
import type { OdradekNode } from '../../src/server/node.ts';
import type { ClusterNode, SimCluster } from '../cluster/sim-cluster.ts';
import type { Incarnation } from '../sim/node.ts';
import { BrokerSessionsWatch } from './broker-sessions.ts';
import { Candidates } from './candidates.ts';
import { DeposedControllers } from './deposed-controllers.ts';
import { FencedEpochs } from './fenced-epochs.ts';
import { FencedMembers } from './fenced-members.ts';
import { ImageWatch } from './image-watch.ts';
import type { Invariant } from './invariant.ts';
import { LevelWatch } from './level-watch.ts';
import { QuorumWatch } from './quorum-watch.ts';
import { RecoveredQuorumLogs } from './recovered-quorum-logs.ts';
import { RecoveryPoints } from './recovery-points.ts';
import { RemovedLogs } from './removed-logs.ts';
import { ReplicaChanges } from './replica-changes.ts';
import { ReplicaWatch } from './replica-watch.ts';
import { RunningTime } from './running-time.ts';
import { UnsyncedCopies } from './unsynced-copies.ts';
import { VotersWatch } from './voters.ts';

/**
 * Watches a whole cluster: after every event the invariants of the node that it happened to are checked, and a violation
 * ends the run. Checks are incremental: they look at what changed.
 */
export class ClusterWatch {
  readonly quorum: QuorumWatch;
  readonly images = new ImageWatch();
  readonly copies: UnsyncedCopies;
  readonly #all: readonly Invariant[];
  readonly #time: RunningTime;
  /** Those of them that look at a node after each event on it, and at its replicas. */
  readonly #ofNodes: readonly Invariant[];
  readonly #ofReplicas: readonly Invariant[];
  readonly #changes = new ReplicaChanges();
  readonly #byName = new Map<string, ClusterNode>();
  /** A violation found inside a callback of the product, which might swallow it. */
  #violation: unknown;

  /** @param others Whoever wants to be told the same, beside the invariants. */
  constructor(
    cluster: SimCluster,
    others: readonly ((cluster: SimCluster, image: () => MetadataImage) => Invariant)[] = [],
  ) {
    this.quorum = new QuorumWatch(
      (entry) => this.#onCommitted(entry),
      (check) => this.guarded(check),
    );
    const image = () => this.images.image;
    this.copies = new UnsyncedCopies(cluster, image);
    this.#time = new RunningTime(cluster);
    this.#all = [
      this.quorum,
      new VotersWatch((check) => this.guarded(check)),
      this.copies,
      new ReplicaWatch(image, this.copies, new RecoveryPoints(cluster)),
      new LevelWatch(),
      new FencedEpochs((check) => this.guarded(check)),
      new RecoveredQuorumLogs(cluster),
      new FencedMembers((check) => this.guarded(check)),
      new DeposedControllers(this.#time),
      new Candidates(cluster, this.#time, (check) => this.guarded(check)),
      new BrokerSessionsWatch(cluster, this.#time, (check) => this.guarded(check)),
      new RemovedLogs(image, (check) => this.guarded(check)),
      ...others.map((make) => make(cluster, image)),
    ];
    this.#ofNodes = this.#all.filter(({ check }) => check);
    this.#ofReplicas = this.#all.filter(({ onReplicaChanged }) => onReplicaChanged);
    for (const member of cluster.nodes) this.#byName.set(member.machine.name, member);
    cluster.onOpened.push((member, node) => {
      this.#watchRestores(member, node);
      this.#changes.attach(node);
      for (const invariant of this.#all) invariant.attach?.(member, node);
    });
    cluster.onWiped.push((member) => {
      for (const invariant of this.#all) invariant.onWiped?.(member);
    });
    cluster.world.onAfterEvent.push((happenedTo) => this.#check(happenedTo));
  }

  /** A check from a callback: kept, and thrown after the event. */
  guarded(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.#violation ??= error;
    }
  }

  /** A producer was told that everything up to this record is safe. */
  onAcknowledged(topic: string, partition: number, offset: number): void {
    this.guarded(() => {
      for (const invariant of this.#all) invariant.onAcknowledged?.(topic, partition, offset);
    });
  }

  #watchRestores({ id }: ClusterNode, { store }: OdradekNode): void {
    const restore = store.restore.bind(store);
    store.restore = (index, bytes) => {
      this.guarded(() => this.images.onRestored(id, index, bytes));
      restore(index, bytes);
    };
  }

  #onCommitted(entry: { readonly index: number; readonly payload: Uint8Array }): void {
    const before = this.images.image;
    this.images.onCommitted(entry);
    for (const invariant of this.#all) invariant.onCommitted?.(before, this.images.image);
  }

  #check(happenedTo: Incarnation | undefined): void {
    if (this.#violation !== undefined) throw this.#violation;
    if (!happenedTo?.alive) return;
    const member = this.#byName.get(happenedTo.node.name);
    const node = member?.node;
    if (!node || member.machine.incarnation !== happenedTo) return;
    this.#time.of(member);
    for (const invariant of this.#ofNodes) invariant.check?.(member, node);
    this.#changes.forEach(node, (partition, log) => {
      for (const invariant of this.#ofReplicas) invariant.onReplicaChanged?.(member, node, partition, log);
    });
  }
}
