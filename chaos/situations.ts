import type { PartitionLog } from '../src/log/partition-log.ts';
import { deltaOf } from '../src/metadata/delta.ts';
import { type MetadataImage, NO_LEADER, type PartitionImage } from '../src/metadata/image.ts';
import type { OdradekNode } from '../src/server/node.ts';
import type { ClusterNode, SimCluster } from './cluster/sim-cluster.ts';
import type { Coverage } from './coverage.ts';
import type { Invariant } from './invariants/invariant.ts';
import type { SimLogLine } from './sim/world.ts';

/** What nodes say of what happens to them, and what that is called here. */
const TOLD: Readonly<Record<string, string>> = {
  'Elected leader of the metadata quorum': 'election of the quorum',
  'Truncating a branch that was never committed': 'truncation of the quorum log',
  'Cut a torn tail off the quorum log': 'torn tail of the quorum log',
  'Sending a snapshot': 'snapshot sent',
  'Installing a snapshot': 'snapshot installed',
  'Saved a snapshot': 'snapshot saved',
  'Starting over at the log start of the leader': 'replica started over',
  'Cutting off the torn tail of a log': 'torn tail of a partition log',
  'The log is corrupt and stands down': 'damage of a partition log found',
  'Rebuilding the replica': 'replica rebuilt',
  'Fenced: this broker serves no partition': 'broker fenced',
  'Rebalanced a group': 'rebalance of a group',
  'Group member removed': 'member evicted',
  'The disk is full, appends are refused': 'full disk',
  'The disk has room again, appends are taken': 'full disk with room again',
  'The disk failed; the process ends': 'node ended by its disk',
  'Retention removes segments': 'retention removed segments',
  'Changing the voters': 'voters changed by an administrator',
  'Handing leadership over: this node is no voter any more': 'removed leader handed over',
  'Adding a voter in place of one whose disk was wiped': 'wiped voter took its seat again',
  'Got no answer to ISR changes, will send them again': 'ISR change without an answer',
};

/** Every situation that plans of any kind must bring about now and then. */
export const SITUATIONS: readonly string[] = [
  ...Object.values(TOLD),
  'two faults at once',
  'last replica lost its power (KIP-966)',
  'damaged quorum log refused',
  'sync that lied came to light',
  'election during a snapshot install',
  'truncation of a partition log',
  'logs that diverge (KIP-101)',
  'refusal of an old leader epoch',
  'rebalance during a fail-over',
  'start after a clean stop',
  'start after an unclean stop',
  'repeated batch recognised',
  'repeated batch recognised by a new leader',
  'ISR shrank',
  'ISR grew',
  'ISR of one',
  'leader from the ELR (KIP-966)',
  'partition without a leader',
  'leaders moved by a controlled shutdown',
  'election of the quorum among two releases',
  'fail-over among two releases',
  'rolling upgrade through',
  'no living leader of the quorum for 1 s',
  'no living leader of a partition for 1 s',
];

/** Within this time of a fail-over, a rebalance counts as during it. */
const FAILOVER_MS = 1000;
/** A snapshot that was not installed by then was lost, or whom it was for. */
const INSTALL_MS = 5000;
const LONG_MS = 1000;
/** How often it is looked at who leads: elections take a while, events come in thousands a second. */
const LOOK_MS = 100;

/** Notes which situations a cluster gets into, from what its nodes log and from committed metadata. */
export class Situations implements Invariant {
  readonly #cluster: SimCluster;
  readonly #coverage: Coverage;
  readonly #image: () => MetadataImage;
  /** To whom a snapshot is on its way, and since when. */
  readonly #installing = new Map<string, number>();
  readonly #leaderlessSince = new Map<string, number>();
  readonly #watched = new WeakSet<PartitionLog>();
  #failoverMs = Number.NEGATIVE_INFINITY;
  #rebalanceMs = Number.NEGATIVE_INFINITY;
  #lookedMs = 0;

  constructor(cluster: SimCluster, image: () => MetadataImage, coverage: Coverage) {
    this.#cluster = cluster;
    this.#image = image;
    this.#coverage = coverage;
    cluster.world.onLogLine.push((line) => this.#onLine(line));
    cluster.onRefused.push(() => this.#note('damaged quorum log refused'));
  }

  attach(_: ClusterNode, node: OdradekNode): void {
    this.#note(`start after ${node.logs.cleanShutdown ? 'a clean' : 'an unclean'} stop`);
  }

  check(_: ClusterNode, node: OdradekNode): void {
    const { nowMs } = this.#cluster.world;
    if (nowMs - this.#lookedMs < LOOK_MS) return;
    this.#lookedMs = nowMs;
    this.#leaderless('no living leader of the quorum', this.#cluster.controller !== undefined);
    for (const topic of this.#image().topics.values())
      for (const partition of topic.partitions)
        this.#leaderless(
          'no living leader of a partition',
          this.#isLed(partition),
          partition.topicId + partition.partition,
        );
    for (const log of node.logs.all()) this.#watchRepeats(log);
  }

  onCommitted(before: MetadataImage, after: MetadataImage): void {
    for (const topic of deltaOf(before, after).topicsChanged)
      for (const now of topic.partitions) {
        const was = before.partition(topic.id, now.partition);
        if (was && was !== now) this.#partitionChanged(was, now, before);
      }
  }

  #note(name: string): void {
    this.#coverage.note('situation', name);
  }

  #partitionChanged(was: PartitionImage, now: PartitionImage, before: MetadataImage): void {
    if (now.isr.length < was.isr.length) this.#note('ISR shrank');
    if (now.isr.length > was.isr.length) this.#note('ISR grew');
    if (now.isr.length === 1 && now.replicas.length > 1) this.#note('ISR of one');
    if (now.leader === was.leader) return;
    if (now.leader === NO_LEADER) this.#note('partition without a leader');
    else if (!was.isr.includes(now.leader) && was.elr.includes(now.leader))
      this.#note('leader from the ELR (KIP-966)');
    if (before.brokers.get(was.leader)?.inControlledShutdown)
      this.#note('leaders moved by a controlled shutdown');
    if (this.#isMixed()) this.#note('fail-over among two releases');
    this.#failoverMs = this.#cluster.world.nowMs;
    this.#duringFailover();
  }

  #isMixed(): boolean {
    const versions = this.#cluster.nodes.flatMap(({ node }) => node?.config.catalogueVersion ?? []);
    return new Set(versions).size > 1;
  }

  #isLed({ leader }: PartitionImage): boolean {
    return leader !== NO_LEADER && this.#cluster.member(leader).node !== undefined;
  }

  #leaderless(what: string, isLed: boolean, key = what): void {
    const { nowMs } = this.#cluster.world;
    if (isLed) this.#leaderlessSince.delete(key);
    else if (nowMs - (this.#leaderlessSince.get(key) ?? nowMs) > LONG_MS) this.#note(`${what} for 1 s`);
    if (!isLed && !this.#leaderlessSince.has(key)) this.#leaderlessSince.set(key, nowMs);
  }

  #watchRepeats(log: PartitionLog): void {
    if (this.#watched.has(log)) return;
    this.#watched.add(log);
    const append = log.appendAsLeader.bind(log);
    log.appendAsLeader = (batch, leaderEpoch, nowWallMs) => {
      const result = append(batch, leaderEpoch, nowWallMs);
      if (result.duplicate) {
        this.#note('repeated batch recognised');
        if (log.epochAt(result.baseOffset) < leaderEpoch)
          this.#note('repeated batch recognised by a new leader');
      }
      return result;
    };
  }

  #onLine({ node, message, fields }: SimLogLine): void {
    const told = TOLD[message];
    if (told !== undefined) this.#note(told);
    const details = fields as Readonly<Record<string, unknown>>;
    switch (message) {
      case 'Sending a snapshot':
        this.#installing.set(`n${details.to}`, this.#cluster.world.nowMs);
        break;
      case 'Elected leader of the metadata quorum':
        this.#duringInstall();
        if (this.#isMixed()) this.#note('election of the quorum among two releases');
        break;
      case 'Raised the catalogue level: every node can read it':
        // Else the cluster is just being founded.
        if (this.#image().topics.size > 0) this.#note('rolling upgrade through');
        break;
      case 'Installing a snapshot':
        this.#installing.delete(node);
        // Too seldom to be expected: `make sim SCENARIO=upgrades` has it in one of twenty runs.
        if (this.#isMixed()) this.#note('snapshot installed among two releases');
        break;
      case 'Truncating to the log of the leader': {
        const { offset, logEndOffset, diverging } = details as {
          offset: number;
          logEndOffset: number;
          diverging?: { epoch: number };
        };
        if (offset < logEndOffset) this.#note('truncation of a partition log');
        if (diverging && diverging.epoch >= 0) this.#note('logs that diverge (KIP-101)');
        break;
      }
      case 'Rebalanced a group':
        this.#rebalanceMs = this.#cluster.world.nowMs;
        this.#duringFailover();
        break;
    }
    if (details.error === 'FENCED_LEADER_EPOCH') this.#note('refusal of an old leader epoch');
  }

  /** The quorum elected: was a snapshot under way to somebody who is there? */
  #duringInstall(): void {
    const { nowMs } = this.#cluster.world;
    const isUnderWay = ({ machine }: ClusterNode) =>
      machine.running &&
      nowMs - (this.#installing.get(machine.name) ?? Number.NEGATIVE_INFINITY) < INSTALL_MS;
    if (this.#cluster.nodes.some(isUnderWay)) this.#note('election during a snapshot install');
    this.#installing.clear();
  }

  #duringFailover(): void {
    if (Math.abs(this.#rebalanceMs - this.#failoverMs) < FAILOVER_MS)
      this.#note('rebalance during a fail-over');
  }
}
