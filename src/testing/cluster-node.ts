import type { MetadataImage } from '../metadata/image.ts';
import { asError } from '../platform/as-error.ts';
import { nodeClock } from '../platform/clock.ts';
import { measureProcess } from '../platform/metrics.ts';
import type { Logger } from '../platform/ports.ts';
import { PrometheusMeter } from '../platform/prometheus.ts';
import type { NodeConfig } from '../server/config.ts';
import { OdradekNode } from '../server/node.ts';
import { Life } from './life.ts';
import { type HeldPort, holdPorts } from './node-sockets.ts';
import type { NodeStorage } from './node-storage.ts';
import { waitUntil } from './wait.ts';

/** `failed`: the node ended itself, as it does when its disk fails. */
export type NodeState = 'running' | 'paused' | 'stopping' | 'stopped' | 'killed' | 'failed';

/** How a node is killed. */
export interface KillOptions {
  /**
   * What becomes of data that was not synced: `kept` (the default), as when a process is killed; or `lost`, as when the
   * machine loses its power. `lost` needs a cluster in memory.
   */
  readonly unsynced?: 'kept' | 'lost';
}

export interface ClusterNodeOptions {
  readonly config: NodeConfig;
  /** That of the config's `port` and that of its `kafka.port`: the node has them for good. */
  readonly ports: readonly HeldPort[];
  readonly storage: NodeStorage;
  readonly logger: Logger;
  readonly startTimeoutMs: number;
}

/** One node of the cluster. It keeps its address and its data through all of its lives. */
export class ClusterNode {
  /** From 1 on. */
  readonly id: number;
  /** `ws://127.0.0.1:port` */
  readonly url: string;
  /** `127.0.0.1:port`, for Kafka's own clients. */
  readonly kafkaAddress: string;
  /** The folder of the node's data, there until the cluster is stopped; undefined where that is in memory. */
  readonly dataDir: string | undefined;
  readonly #options: ClusterNodeOptions;
  /** Held from before the first start, for that alone. */
  #held: readonly HeldPort[];
  #state: NodeState = 'stopped';
  #life: Life | undefined;
  #node: OdradekNode | undefined;
  #failure: Error | undefined;
  /** The last life is being cleared away. */
  #ending: Promise<void> = Promise.resolve();

  /** @internal Nodes are made by `startCluster`. */
  constructor(options: ClusterNodeOptions) {
    const { nodeId, host, port, kafka } = options.config;
    this.#options = options;
    this.#held = options.ports;
    this.id = nodeId;
    this.url = `ws://${host}:${port}`;
    this.dataDir = options.storage.isFolder ? options.storage.dir : undefined;
    this.kafkaAddress = `${host}:${kafka.port}`;
  }

  /** What the node does; `running` includes a node that has not come to serve yet: see `waitingFor`. */
  get state(): NodeState {
    return this.#state;
  }

  /** Why the node is `failed`. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** What the node waits for before it serves; undefined once it serves. */
  get waitingFor(): string | undefined {
    if (this.#state === 'paused') return 'resume()';
    if (this.#state !== 'running') return `start(): it is ${this.#state}`;
    return this.#node === undefined ? 'its logs to be opened' : this.#node.waitingFor;
  }

  /** @internal The cluster's metadata as this node knows it; undefined while it is not running. */
  get image(): MetadataImage | undefined {
    return this.#state === 'running' ? this.#node?.store.image : undefined;
  }

  /** @internal Whether this node is the active controller. */
  get isController(): boolean {
    return this.#state === 'running' && this.#node?.controller.active === true;
  }

  /**
   * Ends the node as SIGKILL would: at once, with no goodbye to anybody. Its port refuses connections from then on. The
   * promise tells when its files are closed, too. A node that is not running is left alone.
   */
  async kill({ unsynced = 'kept' }: KillOptions = {}): Promise<void> {
    const { powerLoss } = this.#options.storage;
    if (unsynced === 'lost' && powerLoss === undefined) {
      throw new Error("kill({ unsynced: 'lost' }) needs a cluster with storage: 'memory'");
    }
    if (this.#life === undefined) await this.#ending;
    else await this.#end('killed', unsynced === 'lost' ? powerLoss : undefined);
  }

  /**
   * Freezes the node as SIGSTOP would: it does nothing and answers nothing, its clock goes on, and its connections stay
   * open. After `brokerSessionTimeoutMs` (1.8 s unless configured) the others lead its partitions.
   */
  pause(): void {
    if (this.#state !== 'running') throw new Error(`node ${this.id} cannot be paused: it is ${this.#state}`);
    this.#state = 'paused';
    this.#life?.pause();
  }

  /** Lets a paused node go on, as SIGCONT would: it catches up with all that reached it meanwhile. */
  resume(): void {
    if (this.#state !== 'paused') throw new Error(`node ${this.id} cannot be resumed: it is ${this.#state}`);
    this.#state = 'running';
    this.#life?.resume();
  }

  /** Stops the node as SIGTERM would: its leaders move to other nodes first. A node that is not running is left alone. */
  async stop(): Promise<void> {
    const life = this.#life;
    const node = this.#node;
    if (this.#state === 'paused') this.resume();
    if (life === undefined || this.#state === 'stopping') {
      await (life?.over ?? this.#ending);
      return;
    }
    this.#state = 'stopping';
    if (node !== undefined) await Promise.race([node.stop(), life.over]);
    if (this.#life === life) await this.#end('stopped');
  }

  /** Starts a node that does not run, on its old port and with its old data; resolves once it serves. */
  async start(): Promise<void> {
    await this.launch();
    await this.untilReady();
  }

  /** Stops the node, should it run, and starts it again; resolves once it serves. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** @throws Error after `startTimeoutMs`, with what the node still waits for */
  untilReady(): Promise<void> {
    return waitUntil(`node ${this.id} does not serve`, this.#options.startTimeoutMs, () => {
      if (this.#state !== 'running' && this.#state !== 'paused') throw this.#ended();
      return this.waitingFor && `it waits for ${this.waitingFor}`;
    });
  }

  /** @internal Starts the node; resolves once it listens. */
  async launch(): Promise<void> {
    if (this.#life !== undefined) throw new Error(`node ${this.id} is ${this.#state} already`);
    const { config, storage, logger } = this.#options;
    const meter = new PrometheusMeter(nodeClock);
    measureProcess(meter, config.dataDir);
    const life = new Life({
      config,
      disk: storage.disk,
      logger: logger.child({ nodeId: this.id }),
      meter,
      onCrash: (error) => this.#fail(life, error),
    });
    this.#life = life;
    this.#state = 'running';
    this.#failure = undefined;
    try {
      await Promise.race([this.#run(life), life.over]);
    } catch (error) {
      if (this.#life === life) await this.#end('stopped');
      throw error;
    }
    if (this.#life !== life) throw this.#ended();
  }

  /** @internal Lets go of all: the node is not started again. */
  async dispose(): Promise<void> {
    for (const { server } of this.#held) server.close();
    this.#held = [];
    await this.kill();
  }

  async #run(life: Life): Promise<void> {
    const { config } = this.#options;
    await this.#ending;
    const held = this.#held;
    this.#held = [];
    await life.takePorts(held.length > 0 ? Promise.resolve(held) : this.#holdPorts());
    const node = await OdradekNode.open(config, life.platform);
    const { joined } = await node.start();
    this.#node = node;
    joined.catch((error: unknown) => {
      if (this.#state !== 'stopping') this.#fail(life, asError(error));
    });
  }

  #holdPorts(): Promise<HeldPort[]> {
    const { config, ports } = this.#options;
    const numbers = ports.map(({ port }) => port);
    return holdPorts(config.host, numbers);
  }

  #fail(life: Life, error: Error): void {
    if (this.#life !== life) return;
    this.#failure = error;
    void this.#end('failed');
  }

  #end(state: 'stopped' | 'killed' | 'failed', then?: () => void): Promise<void> {
    const life = this.#life;
    this.#life = undefined;
    this.#node = undefined;
    this.#state = state;
    this.#ending = Promise.resolve(life?.end()).then(then);
    return this.#ending;
  }

  #ended(): Error {
    return new Error(`node ${this.id} was ${this.#state}`, this.#failure && { cause: this.#failure });
  }
}
