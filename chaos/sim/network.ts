import type {
  CloseReason,
  Connection,
  ConnectionHandlers,
  Listener,
  ListenOptions,
  Network,
} from '../../src/platform/ports.ts';
import { Disturbances } from './disturbances.ts';
import { Links, type Nodes, pairOf, pairsOf } from './links.ts';
import type { Incarnation, SimNode } from './node.ts';
import { SimPipe } from './pipe.ts';
import type { SimSide } from './pipe-end.ts';
import type { Prng } from './prng.ts';
import type { SimWorld } from './world.ts';

/** How links behave; change it at any time. Rates are chances per message. */
export interface LinkConditions {
  /** Every message takes at least this long. */
  latencyMs: number;
  /** Mean of an exponential delay on top. */
  jitterMs: number;
  bytesPerMs: number;
  /** The message vanishes although the connection stays: harsher than any TCP, so 0 by default. */
  lossRate: number;
  /** The message may overtake others of its connection: harsher than any TCP, so 0 by default. */
  reorderRate: number;
  /**
   * The message arrives twice, and those of its connection keep their order. Harsher than any TCP, so 0 by default, and
   * between servers alone: a client that was told what became of the second copy first would take it for its answer.
   */
  duplicateRate: number;
  /** One byte of the message is changed, which TCP's checksum may miss. */
  corruptRate: number;
  /** The connection is reset instead of delivering the message. */
  resetRate: number;
  /** How long a side of a cut connection takes to notice (its ping timeout). */
  halfOpenTimeoutMs: number;
  /** Bytes that the kernels and the wire hold before `bufferedBytes` of the sender grows. */
  windowBytes: number;
}

interface SimListener {
  readonly owner: Incarnation;
  readonly options: ListenOptions;
  readonly pipes: Set<SimPipe>;
}

/** The network between the nodes of a world: connections, and the faults that befall them. */
export class SimNetwork {
  readonly conditions: LinkConditions = {
    latencyMs: 0.2,
    jitterMs: 0.3,
    bytesPerMs: 1_000_000,
    lossRate: 0,
    reorderRate: 0,
    duplicateRate: 0,
    corruptRate: 0,
    resetRate: 0,
    halfOpenTimeoutMs: 6000,
    windowBytes: 256 * 1024,
  };
  readonly links = new Links();
  readonly #disturbances = new Disturbances(this.conditions);
  readonly #world: SimWorld;
  readonly #random: Prng;
  readonly #hosts = new Map<string, string>();
  readonly #listeners = new Map<string, SimListener>();
  readonly #pipes = new Set<SimPipe>();
  /** Directions that deliver nothing, as `from>to`. */
  readonly #cuts = new Set<string>();
  #nextPort = 40_000;
  #nextPipeId = 1;

  constructor(world: SimWorld) {
    this.#world = world;
    this.#random = world.networkRandom;
  }

  /** Changes the conditions of all links; returns what ends the change. Changes may overlap. */
  disturb(change: Partial<LinkConditions>): () => void {
    return this.#disturbances.begin(change);
  }

  /** Another host name of a node, beside its own name. */
  registerHost(host: string, nodeName: string): void {
    this.#hosts.set(host, nodeName);
  }

  /** Nothing passes between the two sets, in either direction, until healed. Connections become half-open. */
  cut(left: Nodes, right: Nodes): void {
    this.cutOneWay(left, right);
    this.cutOneWay(right, left);
  }

  /** Nothing passes from the first set to the second. */
  cutOneWay(from: Nodes, to: Nodes): void {
    for (const pair of pairsOf(from, to)) this.#cuts.add(pair);
    this.#world.trace.add(`cut ${from} > ${to}`);
    for (const pipe of this.#pipes) pipe.cutsChanged();
  }

  /** Ends the cuts between two sets in both directions, or all cuts. Connections that still stand go on. */
  heal(left?: Nodes, right?: Nodes): void {
    if (left === undefined || right === undefined) this.#cuts.clear();
    else for (const pair of [...pairsOf(left, right), ...pairsOf(right, left)]) this.#cuts.delete(pair);
    this.#world.trace.add(`heal ${left} ${right}`);
    for (const pipe of this.#pipes) pipe.cutsChanged();
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && this.#cuts.has(pairOf(from, to));
  }

  /** Whoever reads in these directions stops reading; returns what ends it. */
  stall(from: Nodes, to: Nodes): () => void {
    const end = this.links.stall(from, to);
    return () => {
      end();
      for (const pipe of this.#pipes) pipe.cutsChanged();
    };
  }

  /**
   * One side of every connection between two nodes forgets it, and the other is not told: what that sends vanishes, until
   * it hears nothing for long. Returns how many connections there were.
   */
  forgetOneSide(forgets: string, other: string): number {
    const pipes = [...this.#pipes].filter((pipe) => pipe.connects(forgets, other));
    return pipes.filter((pipe) => pipe.forgetSide(forgets)).length;
  }

  /** Resets every connection between two nodes, both sides notice soon. */
  resetConnections(left: string, right: string): void {
    for (const pipe of [...this.#pipes]) {
      if (pipe.connects(left, right)) pipe.reset('injected reset');
    }
  }

  get openConnections(): number {
    return this.#pipes.size;
  }

  portFor(owner: Incarnation): Network {
    return {
      listen: (options) => this.#listen(owner, options),
      connect: (url, options, handlers) => this.#connect(owner, url, options, handlers),
    };
  }

  /** A node's process ended (called by the node). With the power gone, nobody tells its peers. */
  nodeStopped(node: SimNode, kind: 'process' | 'power'): void {
    for (const [key, listener] of this.#listeners) {
      if (listener.owner.node === node) this.#listeners.delete(key);
    }
    for (const pipe of [...this.#pipes]) {
      if (pipe.touches(node.name)) pipe.sideDied(node.name, kind);
    }
  }

  /** The machine is up again: it answers old connections with a reset (called by the node). */
  nodeStarted(node: SimNode): void {
    for (const pipe of [...this.#pipes]) {
      if (pipe.touches(node.name)) pipe.sideDied(node.name, 'process');
    }
  }

  /** A node was paused or resumed: its peers hear nothing, or hear from it again (called by the node). */
  nodePaused(node: SimNode): void {
    for (const pipe of this.#pipes) if (pipe.touches(node.name)) pipe.cutsChanged();
  }

  forget(pipe: SimPipe): void {
    this.#pipes.delete(pipe);
  }

  async #listen(owner: Incarnation, options: ListenOptions): Promise<Listener> {
    const port = options.port === 0 ? this.#nextPort++ : options.port;
    const key = `${owner.node.name}:${port}`;
    if (this.#listeners.has(key)) throw new Error(`listen EADDRINUSE: address already in use ${key}`);
    const listener: SimListener = { owner, options, pipes: new Set() };
    if (owner.alive) this.#listeners.set(key, listener);
    return {
      port,
      close: async () => {
        if (this.#listeners.get(key) === listener) this.#listeners.delete(key);
        for (const pipe of listener.pipes) pipe.close('b', 'the server is closing');
      },
    };
  }

  #connect(
    owner: Incarnation,
    url: string,
    options: { readonly messageBytesMax: number; readonly connectTimeoutMs: number },
    handlers: ConnectionHandlers,
  ): Connection {
    const { host, port } = parseUrl(url);
    const target = this.#resolve(owner, host);
    const caller: SimSide = { owner, handlers, messageBytesMax: options.messageBytesMax };
    const pipe = new SimPipe({
      id: this.#nextPipeId++,
      world: this.#world,
      network: this,
      random: this.#random,
      caller,
      remote: url,
      targetName: target?.name ?? host,
      mayRepeat: [...this.#listeners.values()].some((listener) => listener.owner === owner),
    });
    this.#pipes.add(pipe);
    pipe.expireConnect(options.connectTimeoutMs);
    pipe.handshake(() => this.#accept(pipe, owner.node.name, target, port));
    return pipe.connection('a');
  }

  /** The handshake reached the target: the accepting side, a refusal, or `undefined` for silence. */
  #accept(
    pipe: SimPipe,
    from: string,
    target: SimNode | undefined,
    port: number,
  ): { side: SimSide } | { refusal: CloseReason } | undefined {
    if (target === undefined) return { refusal: { code: 'unreachable', message: 'unknown host' } };
    if (!target.powered) return undefined;
    const listener = this.#listeners.get(`${target.name}:${port}`);
    if (listener === undefined) return { refusal: { code: 'refused', message: 'nothing listens' } };
    for (const known of listener.pipes) if (known.closed) listener.pipes.delete(known);
    const { options, owner } = listener;
    if (listener.pipes.size >= options.connectionsMax) {
      return { refusal: { code: 'closed', message: 'the server has too many connections' } };
    }
    listener.pipes.add(pipe);
    const side: SimSide = { owner, handlers: undefined, messageBytesMax: options.messageBytesMax };
    return {
      side: { ...side, accept: () => options.onConnection(pipe.connection('b', `${from}:${pipe.id}`)) },
    };
  }

  #resolve(owner: Incarnation, host: string): SimNode | undefined {
    if (host === 'localhost' || host === '127.0.0.1') return owner.node;
    return this.#world.findNode(this.#hosts.get(host) ?? host);
  }
}

function parseUrl(url: string): { host: string; port: number } {
  const match = /^wss?:\/\/([^:/]+):(\d+)/.exec(url);
  if (match?.[1] === undefined) throw new Error(`not a ws://host:port address: ${url}`);
  return { host: match[1], port: Number(match[2]) };
}
