/**
 * A dumb model of what brokers hold, beside a real controller: each replica has a list of values, a write goes to the
 * whole ISR at once and is acknowledged when that is large enough. Whoever is made leader, without an unclean election,
 * must hold everything acknowledged.
 */

import { minIsrOf, NO_LEADER, type PartitionImage, type TopicImage } from '../../../src/metadata/image.ts';
import { CreatePartitions } from '../../../src/protocol/messages/create-partitions.ts';
import { DeleteTopics } from '../../../src/protocol/messages/delete-topics.ts';
import { ElectLeaders } from '../../../src/protocol/messages/elect-leaders.ts';
import { ZERO_UUID } from '../../../src/protocol/uuid.ts';
import { Harness, type TestBroker } from './harness.ts';

/** One step; the numbers choose whom and what, modulo what there is. */
export interface Step {
  readonly kind: keyof typeof WEIGHTS;
  readonly a: number;
  readonly b: number;
  readonly c: number;
}

/** How often each kind comes, among all: what makes trouble must not drown in what undoes it. */
export const WEIGHTS = {
  start: 6,
  restart: 4,
  heartbeat: 2,
  beatAll: 12,
  staleHeartbeat: 1,
  stop: 1,
  kill: 8,
  sleep: 3,
  topic: 2,
  delete: 0.2,
  grow: 0.5,
  config: 1,
  isr: 5,
  replay: 3,
  rejoinAll: 8,
  prefer: 2,
  write: 12,
  commit: 20,
  failover: 2,
} as const;

const BROKERS = 4;
const TOPICS = ['a', 'b', '__proto__'];

export class Model {
  readonly h: Harness;
  /** Running incarnations, by broker. */
  readonly #running = new Map<number, TestBroker>();
  /** The process that runs last, by broker. */
  readonly #boots = new Map<number, number>();
  readonly #directories = new Map<number, number>();
  /** Brokers whose unclean stop the controller has not heard of yet. */
  readonly #unclean = new Set<number>();
  readonly #logs = new Map<string, Set<number>>();
  readonly #last = new Map<string, PartitionImage>();
  readonly #acked = new Map<string, number[]>();
  /** What leaders asked for and have no answer to. */
  readonly #pending = new Map<string, Set<{ ids: number[]; partitionEpoch: number }>>();
  /** Requests that are still on their way. */
  readonly #late: (() => Promise<unknown>)[] = [];
  /** Requests that the network may deliver again. */
  readonly #sent: (() => Promise<unknown>)[] = [];
  #value = 0;
  /** What happened, to see that the generator reaches what it should. */
  readonly seen = { acks: 0, losses: 0, elections: 0, fromElr: 0, joins: 0 };

  constructor(seed: number) {
    this.h = new Harness({ leaderRebalanceIntervalMs: 4_000 }, seed);
    this.h.autoCommit = false;
  }

  async step({ kind, a, b, c }: Step): Promise<void> {
    const { h } = this;
    const id = 1 + (a % BROKERS);
    const broker = this.#running.get(id);
    const topicName = TOPICS[a % TOPICS.length] ?? 'a';
    switch (kind) {
      case 'start':
        if (!broker) await this.#boot(id, b % 4 !== 0, c % 10 === 0);
        break;
      case 'restart':
        this.#running.delete(id);
        await this.#boot(id, b % 2 === 0, false);
        break;
      case 'heartbeat':
        if (broker)
          this.#send(() => h.heartbeat(broker, { wantFence: b % 9 === 0, offset: h.image.index - (c % 3) }));
        break;
      case 'beatAll':
        for (const each of this.#running.values()) this.#send(() => h.heartbeat(each));
        break;
      case 'staleHeartbeat':
        if (broker) this.#send(() => h.heartbeat({ ...broker, epoch: broker.epoch - 1 }));
        break;
      case 'stop':
        if (broker) this.#send(() => h.heartbeat(broker, { wantShutDown: true }));
        break;
      case 'kill':
        this.#running.delete(id);
        this.#boots.delete(id);
        if (b % 2 === 0) h.shell.brokerUnreachable(id);
        break;
      case 'sleep':
        h.time.advance(b * 40);
        break;
      case 'topic':
        this.#createTopic(topicName, b, c);
        break;
      case 'delete':
        this.#send(() =>
          h.call(DeleteTopics, { topics: [{ name: topicName, topicId: ZERO_UUID }], timeoutMs: 1 }),
        );
        break;
      case 'grow': {
        const topics = [{ name: topicName, count: b % 6, assignments: null }];
        this.#send(() => h.call(CreatePartitions, { topics, timeoutMs: 1, validateOnly: false }));
        break;
      }
      case 'config':
        this.#send(() => h.alterConfig(topicName, 'min.insync.replicas', b % 4 === 0 ? null : String(b % 4)));
        break;
      case 'isr':
        this.#alterIsr(a, b, c);
        break;
      case 'replay':
        if (b % 3 === 0) this.#sent[a % (this.#sent.length || 1)]?.().catch(ignore);
        else
          this.#late
            .splice(a % (this.#late.length || 1), 1)[0]?.()
            .catch(ignore);
        break;
      case 'rejoinAll':
        for (const [, partition] of this.#partitions()) this.#rejoin(partition);
        break;
      case 'prefer':
        this.#send(() => h.call(ElectLeaders, { electionType: 0, topicPartitions: null, timeoutMs: 1 }));
        break;
      case 'write':
        for (const [topic, partition] of this.#partitions()) this.#write(topic, partition);
        break;
      case 'commit':
        h.commit(b % 4 === 0 ? Number.POSITIVE_INFINITY : b % 4);
        break;
      case 'failover':
        h.depose(b % 3);
        h.elect();
        break;
    }
    await settle();
    this.check();
  }

  /** Every leader of a topic that never allowed an unclean election holds what was acknowledged. */
  check(): void {
    for (const [topic, p] of this.#partitions()) {
      this.#count(p);
      if (p.leader === NO_LEADER || this.#sameIncarnation(p.leader) === undefined) continue;
      const held = this.#log(p, p.leader);
      const lost = (this.#acked.get(key(p)) ?? []).filter((value) => !held.has(value));
      if (lost.length > 0)
        throw new Error(
          `${topic.name}: leader ${p.leader} lost acknowledged ${lost} of ${JSON.stringify(p)}`,
        );
    }
  }

  #count(p: PartitionImage): void {
    const before = this.#last.get(key(p));
    this.#last.set(key(p), p);
    if (!before || before === p) return;
    if (p.leader !== NO_LEADER && p.leader !== before.leader) this.seen.elections++;
    if (p.leader !== before.leader && before.elr.includes(p.leader)) this.seen.fromElr++;
    if (p.isr.length > before.isr.length) this.seen.joins++;
  }

  /** Keeps a promise from becoming an unhandled rejection, and the request for a replay. */
  #send(request: () => Promise<unknown>): void {
    this.#sent.push(request);
    request().catch(ignore);
  }

  /** A process begins; it has lost what was in memory only (unless its stop was clean), or its whole disk. */
  async #boot(id: number, clean: boolean, wiped: boolean): Promise<void> {
    if (wiped) this.#directories.set(id, ++this.#value + 100);
    if (!clean) this.#unclean.add(id);
    for (const [topic, partition] of this.#partitions()) {
      const unsynced = !clean && topic.config.flush === 'os' && partition.replicas.length > 1;
      if (wiped || unsynced) this.#lose(partition, id);
    }
    const boot = ++this.#value;
    this.#boots.set(id, boot);
    const directory = this.#directories.get(id) ?? id;
    const registered = this.h.register(id, { clean: !this.#unclean.has(id), rack: `r${id % 2}`, directory });
    registered.then((broker) => {
      // The answer reaches a process that is gone.
      if (this.#boots.get(id) !== boot) return;
      this.#running.set(id, broker);
      this.#unclean.delete(id);
    }, ignore);
    await settle();
  }

  #lose(p: PartitionImage, id: number): void {
    if (this.#log(p, id).size > 0) this.seen.losses++;
    this.#log(p, id).clear();
  }

  #createTopic(name: string, b: number, c: number): void {
    const configs = [
      { name: 'min.insync.replicas', value: String(1 + (b % 3)) },
      { name: 'flush', value: c % 2 === 0 ? 'sync' : 'os' },
    ];
    this.#send(() =>
      this.h.createTopic(name, { numPartitions: 1 + (b % 3), replicationFactor: 1 + (c % 3), configs }),
    );
  }

  /** Some subset of the replicas, by whoever leads, perhaps with an old epoch. */
  #alterIsr(a: number, b: number, c: number): void {
    const all = [...this.#partitions()];
    const [, p] = all[a % (all.length || 1)] ?? [];
    const leader = p && this.#sameIncarnation(p.leader);
    if (!p || !leader) return;
    const isr = p.replicas.filter((id, i) => id === p.leader || (b >> i) & 1);
    this.#propose(p, leader, isr, { skew: c % 5 === 0 ? -1 : 0, delayed: c % 2 === 0 });
  }

  #rejoin(p: PartitionImage): void {
    const leader = this.#sameIncarnation(p.leader);
    const alive = p.replicas.filter((id) => this.#sameIncarnation(id));
    if (leader && alive.length > p.isr.length) this.#propose(p, leader, alive, { skew: 0, delayed: false });
  }

  /** Who joins has fetched everything, and is counted from now on; the request may arrive much later, or twice. */
  #propose(
    p: PartitionImage,
    leader: TestBroker,
    isr: number[],
    { skew, delayed }: { skew: number; delayed: boolean },
  ): void {
    const members = isr.map((id) => this.#sameIncarnation(id)).filter((member) => member !== undefined);
    for (const { id } of members) for (const value of this.#log(p, leader.id)) this.#log(p, id).add(value);
    const proposal = { ids: members.map((member) => member.id), partitionEpoch: p.partitionEpoch };
    const pending = this.#pending.get(key(p)) ?? new Set();
    this.#pending.set(key(p), pending.add(proposal));
    const request = async () => {
      // A leader that has its answer does not ask again.
      if (!pending.has(proposal)) return;
      const partitionEpoch = p.partitionEpoch + skew;
      const answer = await this.h.alterIsrOf(leader, members, { partition: p, partitionEpoch });
      if (answer.errorCode !== 0) pending.delete(proposal);
    };
    if (delayed) this.#late.push(request);
    else this.#send(request);
  }

  /** A write reaches the maximal ISR: that of the image, and each that may yet be accepted (KIP-497). */
  #write(topic: TopicImage, p: PartitionImage): void {
    if (p.leader === NO_LEADER || p.isr.length < minIsrOf(topic, p)) return;
    const pending = [...(this.#pending.get(key(p)) ?? [])];
    const underWay = pending.filter((proposal) => proposal.partitionEpoch === p.partitionEpoch);
    const maximal = [...new Set([...p.isr, ...underWay.flatMap((proposal) => proposal.ids)])];
    if (!maximal.every((id) => this.#sameIncarnation(id))) return;
    const value = ++this.#value;
    for (const id of maximal) this.#log(p, id).add(value);
    this.seen.acks++;
    this.#acked.set(key(p), [...(this.#acked.get(key(p)) ?? []), value]);
  }

  /** The running incarnation of a broker, if it is the one that the image knows. */
  #sameIncarnation(id: number): TestBroker | undefined {
    const broker = this.#running.get(id);
    return broker && this.h.image.brokers.get(id)?.epoch === broker.epoch ? broker : undefined;
  }

  *#partitions(): Iterable<[TopicImage, PartitionImage]> {
    for (const topic of this.h.image.sortedTopics())
      for (const partition of topic.partitions) yield [topic, partition];
  }

  #log(p: PartitionImage, id: number): Set<number> {
    const name = `${key(p)}@${id}`;
    const log = this.#logs.get(name) ?? new Set<number>();
    this.#logs.set(name, log);
    return log;
  }
}

const key = (p: PartitionImage) => `${p.topicId}-${p.partition}`;
const ignore = () => undefined;

async function settle(): Promise<void> {
  for (let i = 0; i < 6; i++) await Promise.resolve();
}
