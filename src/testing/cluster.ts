import { Odradek, type OdradekOptions } from '../client/node.ts';
import type { MetadataImage, PartitionImage } from '../metadata/image.ts';
import { NO_LEADER } from '../metadata/image.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { ClusterStorage } from './node-storage.ts';
import { TrackedTimers } from './tracked-timers.ts';
import { atMost, waitUntil } from './wait.ts';

/** How long `stop` waits for the clients that the cluster made: those of a cluster whose nodes are down cannot finish. */
const CLIENTS_TIMEOUT_MS = 1000;
const HEALTHY_TIMEOUT_MS = 30_000;

/** A cluster that lives in this process until `stop`. Made by `startCluster`. */
export class TestCluster {
  /** By id: node 1 is `nodes[0]`. */
  readonly nodes: readonly ClusterNode[];
  /** For an Odradek client: `ws://127.0.0.1:port,...` */
  readonly bootstrap: string;
  /** For Kafka's own clients: `127.0.0.1:port,...` */
  readonly kafkaBootstrap: string;
  readonly #storage: ClusterStorage;
  readonly #clients = new Set<Odradek>();
  readonly #timers = new TrackedTimers();
  #stopping: Promise<void> | undefined;

  /** @internal Use `startCluster`. */
  constructor(nodes: readonly ClusterNode[], storage: ClusterStorage) {
    this.nodes = nodes;
    this.bootstrap = nodes.map(({ url }) => url).join(',');
    this.kafkaBootstrap = nodes.map(({ kafkaAddress }) => kafkaAddress).join(',');
    this.#storage = storage;
  }

  /** The node with this id. @throws Error naming the ids that there are */
  node(id: number): ClusterNode {
    const node = this.nodes.find((each) => each.id === id);
    if (!node) throw new Error(`there is no node ${id}; this cluster has nodes 1 to ${this.nodes.length}`);
    return node;
  }

  /** A client of this cluster, closed together with it. */
  client(options: Omit<OdradekOptions, 'bootstrap'> = {}): Odradek {
    if (this.#stopping) throw new Error('the cluster is stopped');
    const client = new Odradek({ ...options, bootstrap: this.bootstrap }, { timers: this.#timers });
    this.#clients.add(client);
    return client;
  }

  /** The node that leads the metadata quorum and so decides over topics, leaders and groups. @throws Error when none does */
  get controller(): ClusterNode {
    const controller = this.nodes.find((node) => node.isController);
    if (!controller) throw new Error('no node is the active controller now; await untilHealthy() first');
    return controller;
  }

  /**
   * The node that leads a partition, as the metadata has it: a node that has just been killed leads until the others have
   * found out. @throws Error when there is no such partition, or it has no leader
   */
  leaderOf(topic: string, partition = 0): ClusterNode {
    const found = this.#image()?.topicByName(topic)?.partitions[partition];
    if (!found) throw new Error(`there is no partition ${topic}-${partition}`);
    if (found.leader === NO_LEADER) {
      throw new Error(`${topic}-${partition} has no leader now; await untilHealthy() first`);
    }
    return this.node(found.leader);
  }

  /** Resolves once every node serves. @throws Error after `startTimeoutMs`, or when a node is down */
  async untilReady(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.untilReady()));
  }

  /**
   * Resolves once the cluster is whole: every node serves, and every partition has a leader and all of its replicas in
   * sync. @throws Error after `timeoutMs` (30,000 by default), with what is missing
   */
  async untilHealthy({
    timeoutMs = HEALTHY_TIMEOUT_MS,
  }: {
    readonly timeoutMs?: number;
  } = {}): Promise<void> {
    await waitUntil('the cluster is not healthy', timeoutMs, () => this.#ailment());
  }

  /**
   * Ends everything and removes the data: clients that the cluster made are closed, nodes ended (without moving their
   * leaders: nobody needs them any more). Nothing is left in the process. @throws Error when a node had failed before
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const isUp = this.nodes.every(({ waitingFor }) => waitingFor === undefined);
    const timeoutMs = isUp ? CLIENTS_TIMEOUT_MS : 0;
    const closing = Promise.allSettled([...this.#clients].map((client) => client.close({ timeoutMs })));
    // A request to a node that does not answer ends together with that node.
    await atMost(timeoutMs, closing);
    const failures = this.nodes.flatMap(({ failure }) => failure ?? []);
    await Promise.all(this.nodes.map((node) => node.dispose()));
    await closing;
    this.#timers.end();
    await this.#storage.remove();
    if (failures.length > 0) throw new AggregateError(failures, `a node failed: ${failures[0]?.message}`);
  }

  #image(): MetadataImage | undefined {
    let newest: MetadataImage | undefined;
    for (const { image } of this.nodes) {
      if (image && (!newest || image.index > newest.index)) newest = image;
    }
    return newest;
  }

  #ailment(): string | undefined {
    for (const { id, waitingFor } of this.nodes) {
      if (waitingFor !== undefined) return `node ${id} waits for ${waitingFor}`;
    }
    const image = this.#image();
    if (!this.nodes.some((node) => node.isController)) return 'no node is the active controller';
    for (const { name, partitions } of image?.sortedTopics() ?? []) {
      const ailing = partitions.map((each) => ailmentOf(name, each)).find((each) => each !== undefined);
      if (ailing) return ailing;
    }
    return undefined;
  }
}

function ailmentOf(topic: string, { partition, leader, isr, replicas }: PartitionImage): string | undefined {
  if (leader === NO_LEADER) return `${topic}-${partition} has no leader`;
  if (isr.length === replicas.length) return undefined;
  return `${topic}-${partition} has replicas ${replicas.join(', ')} and only ${isr.join(', ')} in sync`;
}
