import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Admin,
  type Consumer,
  DeliveryError,
  Odradek,
  type Producer,
  string,
} from '../../../src/client/node.ts';
import { nodeName } from '../nemesis/links.ts';
import type { RealCluster } from '../nemesis/real-cluster.ts';
import { BrokenPromise, type Model, PARTITIONS, type Whereabouts } from './model.ts';

/** Whom a fault hits, as seen when it happens. */
export type Role = 'leader' | 'follower' | 'controller';

/** With one node down at most, whatever a client asks for is done within this time, on a busy machine too. */
const SERVED_WITHIN_MS = 20_000;
/** And after everything was mended, what was left undone meanwhile. */
const SETTLED_WITHIN_MS = 60_000;
const ASK_TIMEOUT_MS = 5000;
const LOOK_AGAIN_MS = 50;
const POLL_MS = 200;

/** One run's topic, its clients, and what is done to the cluster below them. The commands are thin wrappers of this. */
export class Session {
  readonly model: Model;
  readonly #cluster: RealCluster;
  readonly #topic: string;
  readonly #admin: Admin;
  readonly #adminClient: Odradek;
  readonly #client: Odradek;
  readonly #producer: Producer;
  readonly #reader: Consumer<Uint8Array, string>;
  readonly #pending = new Set<Promise<void>>();
  #broken: BrokenPromise | undefined;

  private constructor(
    cluster: RealCluster,
    model: Model,
    topic: string,
    adminClient: Odradek,
    client: Odradek,
  ) {
    this.#cluster = cluster;
    this.model = model;
    this.#topic = topic;
    this.#adminClient = adminClient;
    this.#admin = adminClient.admin({ timeoutMs: ASK_TIMEOUT_MS });
    this.#client = client;
    this.#producer = client.producer({ lingerMs: 0 });
    this.#reader = client.consumer({ group: topic, value: string, from: 'earliest', autoCommit: false });
  }

  /** A topic of three replicas on a healthy cluster, and clients of it. */
  static async open(cluster: RealCluster, model: Model, topic: string): Promise<Session> {
    // Sees the nodes directly, whatever happens to links.
    const adminClient = new Odradek({ bootstrap: cluster.nodes.map(({ url }) => url), clientId: 'admin' });
    await adminClient.admin().createTopic({
      ...{
        name: topic,
        partitions: PARTITIONS,
        replicationFactor: 3,
        configs: { 'min.insync.replicas': '2' },
      },
    });
    const session = new Session(cluster, model, topic, adminClient, await cluster.client('client'));
    await session.#reader.assign(session.#all);
    return session;
  }

  get #all(): { topic: string; partition: number }[] {
    return Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: this.#topic, partition }));
  }

  /** The node in this role; while a fail-over is under way it may be one that is down already. */
  async find(role: Role, partition: number): Promise<number> {
    const deadlineMs = performance.now() + ASK_TIMEOUT_MS;
    for (;;) {
      const id = await this.#lookFor(role, partition).catch(() => undefined);
      if (id !== undefined && !this.model.impaired.has(id)) return id;
      if (performance.now() > deadlineMs || !this.model.mustServe) return id ?? 1;
      await sleep(LOOK_AGAIN_MS);
    }
  }

  async #lookFor(role: Role, partition: number): Promise<number | undefined> {
    if (role === 'controller') return (await this.#admin.describeCluster()).controllerId;
    const [topic] = await this.#admin.describeTopics([this.#topic]);
    const { leader, isr = [] } = topic?.partitions[partition] ?? {};
    return role === 'leader' ? leader : isr.find((id) => id !== leader && !this.model.impaired.has(id));
  }

  async strike(id: number, how: Whereabouts): Promise<void> {
    const node = this.#cluster.node(id);
    if (how === 'killed') await node.kill();
    else if (how === 'stopped') node.pause();
    else this.#cluster.links.isolate(nodeName(id));
    this.model.impaired.set(id, how);
  }

  async mend(id: number): Promise<void> {
    const how = this.model.impaired.get(id);
    this.model.impaired.delete(id);
    if (how === 'stopped') this.#cluster.node(id).resume();
    if (how === 'cut') {
      this.#cluster.links.heal();
      for (const [other, of] of this.model.impaired)
        if (of === 'cut') this.#cluster.links.isolate(nodeName(other));
    }
    if (how === 'killed') await this.#cluster.node(id).spawn();
    // Without a majority it cannot serve yet.
    if (how === 'killed' && this.model.mustServe) await this.#untilReady();
  }

  async #untilReady(): Promise<void> {
    const well = this.#cluster.nodes.filter(({ id }) => !this.model.impaired.has(id));
    await Promise.all(well.map((node) => node.untilReady()));
  }

  async restart(id: number): Promise<void> {
    await this.#cluster.node(id).stop();
    await this.#cluster.node(id).start();
  }

  /** Sends so many records; waits for them where the cluster owes an acknowledgement. */
  async produce(partition: number, count: number): Promise<void> {
    const { mustServe } = this.model;
    const sends = Array.from({ length: count }, () => this.#send(partition));
    if (mustServe) await this.#within(SERVED_WITHIN_MS, Promise.all(sends), `produce to ${partition}`);
    this.#check();
  }

  /** Reads on; up to all that was acknowledged, where the cluster owes that. */
  async consume(): Promise<void> {
    const deadlineMs = performance.now() + SERVED_WITHIN_MS;
    const ends = this.model.partitions.map((partition) => partition.acknowledgedEnd);
    const isBehind = () => this.model.partitions.some(({ position }, index) => position < (ends[index] ?? 0));
    do {
      for (const { partition, offset, value } of await this.#reader.poll(POLL_MS)) {
        const model = this.model.partition(partition);
        model.read(offset, value ?? '', model.position);
        model.position = offset + 1;
      }
      if (performance.now() > deadlineMs)
        throw new BrokenPromise(`consume: not done within ${SERVED_WITHIN_MS} ms`);
    } while (this.model.mustServe && isBehind());
    this.#check();
  }

  /** Commits where the reader is. What was committed before must still be known then. */
  async commit(partition: number): Promise<void> {
    const model = this.model.partition(partition);
    await this.#checkCommitted(this.#reader);
    const offset = model.position;
    const commit = this.#reader.commitSync([{ topic: this.#topic, partition, offset }]);
    await this.#within(SERVED_WITHIN_MS, commit, `commit of ${partition}`);
    model.commit(offset);
    await this.#checkCommitted(this.#reader);
  }

  /** Mends everything and settles what is open; then clients that know nothing find all that the model knows. */
  async finish(): Promise<void> {
    for (const id of [...this.model.impaired.keys()]) await this.mend(id);
    await this.#untilReady();
    await this.#within(SETTLED_WITHIN_MS, Promise.all(this.#pending), 'settling what was sent');
    await this.produce(0, 1);
    await this.produce(1, 1);
    await this.consume();
    await this.#readAnew();
    this.#check();
  }

  async close(): Promise<void> {
    await this.#client.close();
    await this.#adminClient.close();
  }

  async #readAnew(): Promise<void> {
    await using client = await this.#cluster.client('client');
    const reader = client.consumer({
      group: this.#topic,
      value: string,
      from: 'earliest',
      autoCommit: false,
    });
    await reader.assign(this.#all);
    const ends = await client.admin().listOffsets(this.#all, 'latest');
    const positions = Array.from({ length: PARTITIONS }, () => 0);
    const deadlineMs = performance.now() + SETTLED_WITHIN_MS;
    while (ends.some(({ partition, offset }) => (positions[partition] ?? 0) < offset)) {
      for (const { partition, offset, value } of await reader.poll(POLL_MS)) {
        this.model.partition(partition).read(offset, value ?? '', positions[partition] ?? 0);
        positions[partition] = offset + 1;
      }
      if (performance.now() > deadlineMs) throw new BrokenPromise('a fresh reader does not get to the end');
    }
    for (const { partition, offset } of ends) this.model.partition(partition).end(offset);
    await this.#checkCommitted(reader);
  }

  async #checkCommitted(reader: Consumer<Uint8Array, string>): Promise<void> {
    const asked = reader.committed(this.#all);
    const found = await this.#within(SERVED_WITHIN_MS, asked, 'asking for the committed offsets');
    for (const [index, partition] of this.model.partitions.entries())
      partition.checkCommitted(found[index]?.offset);
  }

  #send(partition: number): Promise<void> {
    const model = this.model.partition(partition);
    const sent = model.send(this.model.nextValue());
    const settled = this.#producer.send({ topic: this.#topic, partition, value: sent.value }).then(
      ({ offset }) => model.acknowledge(sent, offset),
      (error: unknown) => {
        if (error instanceof DeliveryError && !error.maybeWritten) model.refuse(sent);
        else sent.outcome = 'unknown';
      },
    );
    const watched = settled.catch((error: unknown) => {
      if (error instanceof BrokenPromise) this.#broken ??= error;
      else throw error;
    });
    this.#pending.add(watched);
    return watched.finally(() => this.#pending.delete(watched));
  }

  /** What an acknowledgement broke is told at the next command. */
  #check(): void {
    if (this.#broken) throw this.#broken;
  }

  async #within<T>(limitMs: number, promise: Promise<T>, what: string): Promise<T> {
    const stop = new AbortController();
    const late = sleep(limitMs, undefined, { signal: stop.signal }).then(() => {
      throw new BrokenPromise(`${what}: not done within ${limitMs} ms`);
    });
    late.catch(() => {});
    try {
      return await Promise.race([promise, late]);
    } finally {
      stop.abort();
    }
  }
}
