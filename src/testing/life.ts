import { asError } from '../platform/as-error.ts';
import { nodeClock } from '../platform/clock.ts';
import type {
  Acceptor,
  Connection,
  ConnectionHandlers,
  Disk,
  Listener,
  Logger,
  Meter,
  Platform,
} from '../platform/ports.ts';
import { nodeRandom } from '../platform/random.ts';
import type { NodeConfig } from '../server/config.ts';
import { createNetworks } from '../server/networks.ts';
import { LifeDisk } from './life-disk.ts';
import { type HeldPort, NodeSockets } from './node-sockets.ts';
import { TrackedTimers } from './tracked-timers.ts';

/** Thrown out of `Platform.crash`, so that a node that ended itself runs no further. */
class NodeCrash extends Error {
  override readonly name = 'NodeCrash';
}

const IGNORED: ConnectionHandlers = { onMessage: () => {}, onClose: () => {} };

export interface LifeOptions {
  readonly config: NodeConfig;
  readonly disk: Disk;
  readonly logger: Logger;
  readonly meter: Meter;
  /** The node ended itself: its disk failed, or an invariant is broken. */
  onCrash(error: Error): void;
}

/**
 * One life of a node, from its start to its end: what a process is to a node that has one of its own. Everything that the
 * node hears of the world (timers, sockets, the disk) passes through here. So it can be frozen, which it does not notice,
 * and it can be ended at any point, after which nothing of it moves and nothing is left.
 */
export class Life {
  readonly platform: Platform;
  readonly #logger: Logger;
  readonly #onCrash: (error: Error) => void;
  readonly #disk: LifeDisk;
  readonly #sockets = new NodeSockets();
  readonly #timers = new TrackedTimers((fn) => this.#enter(fn));
  readonly #listeners = new Set<Promise<Listener>>();
  #state: 'running' | 'paused' | 'over' = 'running';
  /** What came up while the node was paused, in order. */
  #missed: (() => void)[] = [];
  #takingPorts: Promise<void> = Promise.resolve();
  #ending: Promise<void> | undefined;
  #announceOver: () => void = () => {};
  /** Resolves when this life is over, by its own doing or not. */
  readonly over = new Promise<void>((resolve) => {
    this.#announceOver = resolve;
  });

  constructor({ config, disk, logger, meter, onCrash }: LifeOptions) {
    this.#logger = logger;
    this.#onCrash = onCrash;
    this.#disk = new LifeDisk(disk, (fn) => this.#enter(fn));
    this.platform = this.#createPlatform(config, meter);
  }

  /** The ports that the node will listen on. */
  takePorts(held: Promise<readonly HeldPort[]>): Promise<void> {
    this.#takingPorts = held.then((ports) => this.#sockets.take(ports));
    return this.#takingPorts;
  }

  /** As SIGSTOP: the node does nothing and answers nothing, and its sockets stay open. */
  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#sockets.freeze();
  }

  /** As SIGCONT. */
  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    const missed = this.#missed;
    this.#missed = [];
    for (const fn of missed) this.#enter(fn);
    this.#sockets.thaw();
  }

  /** As SIGKILL, at once; resolves when nothing of the node is left: no socket, timer or open file. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    this.#state = 'over';
    this.#missed = [];
    this.#timers.end();
    this.#sockets.destroy();
    this.#announceOver();
    await this.#takingPorts.catch(() => {});
    const listeners = await Promise.allSettled(this.#listeners);
    await Promise.all(listeners.map((each) => each.status === 'fulfilled' && each.value.close()));
    await this.#disk.end();
  }

  /** Runs a piece of the node: now, when it goes on, or never. */
  #enter(fn: () => void): void {
    if (this.#state === 'over') return;
    if (this.#state === 'paused') {
      this.#missed.push(fn);
      return;
    }
    try {
      fn();
    } catch (error) {
      if (!(error instanceof NodeCrash)) throw error;
    }
  }

  #createPlatform(config: NodeConfig, meter: Meter): Platform {
    const timers = this.#timers;
    const { network, kafkaNetwork } = createNetworks(config, {
      logger: this.#logger,
      meter,
      sockets: this.#sockets,
      timers,
    });
    return {
      clock: nodeClock,
      random: nodeRandom,
      timers,
      disk: this.#disk,
      logger: this.#logger,
      meter,
      network: {
        connect: (url, options, handlers) => network.connect(url, options, this.#entering(handlers)),
        ...this.#accepting(network),
      },
      kafkaNetwork: this.#accepting(kafkaNetwork),
      crash: (error) => this.#crash(error),
    };
  }

  #accepting(acceptor: Acceptor): Acceptor {
    return {
      listen: (options) => {
        if (this.#state === 'over') return new Promise(() => {});
        const listener = acceptor.listen({
          ...options,
          onConnection: (connection) => this.#accept(connection, options.onConnection),
        });
        this.#listeners.add(listener);
        return listener;
      },
    };
  }

  #accept(
    connection: Connection,
    onConnection: (connection: Connection) => ConnectionHandlers,
  ): ConnectionHandlers {
    return this.#state === 'over' ? IGNORED : this.#entering(onConnection(connection));
  }

  #entering(handlers: ConnectionHandlers): ConnectionHandlers {
    return {
      onOpen: () => this.#enter(() => handlers.onOpen?.()),
      onMessage: (parts) => this.#enter(() => handlers.onMessage(parts)),
      onDrain: () => this.#enter(() => handlers.onDrain?.()),
      onClose: (reason) => this.#enter(() => handlers.onClose(reason)),
    };
  }

  #crash(error: Error): never {
    if (this.#state !== 'over') {
      this.#logger.error({ err: error }, 'The node ends itself');
      this.#onCrash(asError(error));
      void this.end();
    }
    throw new NodeCrash(`the node ended itself: ${error.message}`, { cause: error });
  }
}
