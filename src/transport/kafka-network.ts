import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Acceptor, ConnectionHandlers, Listener, ListenOptions, Logger } from '../platform/ports.ts';
import type { BufferBudget } from './buffer-budget.ts';
import { KafkaConnection } from './kafka-connection.ts';
import { type Sockets, systemSockets } from './sockets.ts';

const LISTEN_BACKLOG = 1024;
/** Kafka's `connections.max.idle.ms`. */
const IDLE_TIMEOUT_MS = 10 * 60 * 1000;

export interface KafkaNetworkOptions {
  readonly logger: Logger;
  /** A connection on which nothing was sent or received for so long is closed; 10 minutes by default, as in Kafka. */
  readonly idleTimeoutMs?: number;
  /** Those of the operating system by default. */
  readonly sockets?: Sockets;
  /** A limit for what all connections hold together; none by default. */
  readonly budget?: BufferBudget;
}

type Settings = KafkaNetworkOptions & Required<Omit<KafkaNetworkOptions, 'budget'>>;

/** Listens for Kafka's own protocol: the message-oriented port over a TCP stream that is cut at 4-byte sizes. */
export class KafkaNetwork implements Acceptor {
  readonly #options: Settings;

  constructor(options: KafkaNetworkOptions) {
    this.#options = { idleTimeoutMs: IDLE_TIMEOUT_MS, sockets: systemSockets, ...options };
  }

  async listen(options: ListenOptions): Promise<Listener> {
    const listener = new KafkaListener(options, this.#options);
    await listener.start();
    return listener;
  }
}

class KafkaListener implements Listener {
  readonly #options: ListenOptions;
  readonly #settings: Settings;
  readonly #server: Server;
  readonly #connections = new Set<KafkaConnection>();

  constructor(options: ListenOptions, settings: Settings) {
    this.#options = options;
    this.#settings = settings;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  start(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.once('listening', () => {
        this.#server.off('error', reject);
        this.#server.on('error', (err) =>
          this.#settings.logger.error({ err, port }, 'The Kafka listener failed'),
        );
        resolve();
      });
      this.#settings.sockets.listen(this.#server, { host, port, backlog: LISTEN_BACKLOG });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const connection of this.#connections) connection.close('the server is closing');
    await closed;
  }

  #accept(socket: Socket): void {
    const { connectionsMax, messageBytesMax } = this.#options;
    const { logger } = this.#settings;
    if (this.#connections.size >= connectionsMax) {
      const remote = `${socket.remoteAddress}:${socket.remotePort}`;
      logger.warn({ remote, connectionsMax }, 'A Kafka connection was refused: there are too many');
      this.#options.onRefused?.('connectionsMax');
      socket.destroy();
      return;
    }
    const connection = new KafkaConnection(socket, { ...this.#settings, frameBytesMax: messageBytesMax });
    this.#connections.add(connection);
    connection.attach(this.#untracking(connection, this.#options.onConnection(connection)));
  }

  #untracking(connection: KafkaConnection, handlers: ConnectionHandlers): ConnectionHandlers {
    return {
      onMessage: (parts) => handlers.onMessage(parts),
      onDrain: () => handlers.onDrain?.(),
      onClose: (reason) => {
        this.#connections.delete(connection);
        handlers.onClose(reason);
      },
    };
  }
}
