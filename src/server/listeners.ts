import type { HttpAnswer, Listener, Platform } from '../platform/ports.ts';
import { kafkaWire } from '../transport/kafka-wire.ts';
import type { RpcServer } from '../transport/rpc-server.ts';
import type { NodeConfig } from './config.ts';

/** Where a node is reached: by WebSockets always, by Kafka's own protocol where its config says so. */
export class Listeners {
  readonly #server: RpcServer;
  readonly #config: NodeConfig;
  readonly #platform: Pick<Platform, 'kafkaNetwork' | 'logger'>;
  #listener: Listener | undefined;
  #kafkaListener: Listener | undefined;

  constructor(server: RpcServer, config: NodeConfig, platform: Pick<Platform, 'kafkaNetwork' | 'logger'>) {
    this.#server = server;
    this.#config = config;
    this.#platform = platform;
  }

  /** The port that the node listens on. */
  get port(): number {
    return this.#listener?.port ?? this.#config.port;
  }

  /** The port for Kafka's own clients; undefined while there is none. */
  get kafkaPort(): number | undefined {
    return this.#kafkaListener?.port;
  }

  /** Opens all of them, or none. @throws Error when a port can't be had */
  async open(onHttp: (path: string) => Promise<HttpAnswer | undefined>): Promise<void> {
    const { host, port } = this.#config;
    this.#listener = await this.#server.listen({ host, port, onHttp });
    this.#platform.logger.info({ host, port: this.port }, 'Listening');
    await this.#openKafka();
  }

  async #openKafka(): Promise<void> {
    const { kafka, host: ownHost } = this.#config;
    const { host = ownHost, port } = kafka;
    if (port === undefined) return;
    const { kafkaNetwork: network, logger } = this.#platform;
    if (!network) throw new Error("this platform has no TCP listener for Kafka's clients (kafka.port)");
    try {
      this.#kafkaListener = await this.#server.listen({ host, port, network, wire: kafkaWire });
    } catch (error) {
      await this.#server.close();
      throw error;
    }
    logger.info({ host, port: this.kafkaPort }, "Listening for Kafka's clients");
  }

  /** Where other nodes reach this one; undefined before it listens. */
  get endpoint(): { host: string; port: number } | undefined {
    const { host, advertisedHost } = this.#config;
    return this.#listener && { host: advertisedHost ?? host, port: this.port };
  }

  /** What the node registers: the addresses under which clients and other nodes reach it. */
  advertised(): { name: string; host: string; port: number }[] {
    const { host, advertisedHost, kafka } = this.#config;
    const listeners = [{ name: 'ws', host: advertisedHost ?? host, port: this.port }];
    if (this.kafkaPort !== undefined)
      listeners.push({
        name: 'kafka',
        host: kafka.advertisedHost ?? advertisedHost ?? kafka.host ?? host,
        port: kafka.advertisedPort ?? this.kafkaPort,
      });
    return listeners;
  }
}
