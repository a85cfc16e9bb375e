import type { MetadataImage } from '../metadata/image.ts';
import type { CloseReason, Logger, Platform } from '../platform/ports.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { Api } from '../protocol/schema.ts';
import type { Voter } from '../raft/types.ts';
import { RpcClient } from '../transport/rpc-client.ts';

/**
 * `control` carries small requests whose delay matters (votes, entries, heartbeats); `fetch` the bulk of follower
 * fetches, on a connection of its own so that it never stands before the others.
 */
type Channel = 'control' | 'fetch';

export interface PeersOptions {
  /** Tells the others that a node is asking. */
  readonly clientId: string;
  /** The voters of the configuration. */
  readonly configured: readonly { readonly id: number; readonly host: string; readonly port: number }[];
  /** Those of the quorum. */
  voters(): readonly Voter[];
  readonly platform: Pick<Platform, 'network' | 'timers' | 'logger'>;
  readonly responseBytesMax: number;
  image(): MetadataImage;
  /** The process of this node is surely gone: its host answers, and refuses the connection. */
  onDead(id: number): void;
}

const CONNECT_TIMEOUT_MS = 1000;
const PROBE_RETRY_MS = 50;
const PROBES_MAX = 10;

/** The connections from this node to the others, opened when first used. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #logger: Logger;
  readonly #clients = new Map<string, RpcClient>();
  readonly #probing = new Set<number>();
  #closed = false;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#logger = options.platform.logger;
  }

  /** Calls an API of another node. @throws KafkaError, RpcError */
  call<Request, Response>(
    channel: Channel,
    id: number,
    api: Api<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> {
    const url = this.#urlOf(id);
    if (this.#closed || url === undefined) {
      return Promise.reject(new KafkaError('BROKER_NOT_AVAILABLE', `node ${id} has no known address`));
    }
    return this.#client(channel, id, url).call(api, request, { timeoutMs });
  }

  close(): void {
    this.#closed = true;
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  /**
   * Where the config says, since a voter must be found before anything is known, and a whole cluster may move; else where
   * it voted from when it became a voter; the others registered.
   */
  #urlOf(id: number): string | undefined {
    const known =
      this.#options.configured.find((voter) => voter.id === id) ??
      this.#options.voters().find((voter) => voter.id === id)?.endpoint ??
      this.#options
        .image()
        .brokers.get(id)
        ?.listeners.find(({ name }) => name === 'ws');
    return known && `ws://${known.host}:${known.port}`;
  }

  #client(channel: Channel, id: number, url: string): RpcClient {
    const key = `${channel} ${id}`;
    const existing = this.#clients.get(key);
    if (existing?.url === url) return existing;
    existing?.close();
    const { platform, clientId, responseBytesMax } = this.#options;
    const client = new RpcClient({
      dialer: platform.network,
      timers: platform.timers,
      url,
      clientId,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      responseBytesMax,
      onClose: (reason) => this.#lost(id, url, reason),
    });
    this.#clients.set(key, client);
    return client;
  }

  /**
   * A lost socket is a hint that the process may be gone. The kernel of its machine knows: it refuses a new connection
   * at once, and so nobody has to wait out a session.
   */
  #lost(id: number, url: string, reason: CloseReason): void {
    if (this.#closed) return;
    if (reason.code === 'refused') {
      this.#options.onDead(id);
      return;
    }
    if (this.#probing.has(id)) return;
    this.#probing.add(id);
    this.#probe(id, url, reason, 1);
  }

  #probe(id: number, url: string, lost: CloseReason, attempt: number): void {
    const { network, timers } = this.#options.platform;
    const connection = network.connect(
      url,
      { messageBytesMax: 1024, connectTimeoutMs: CONNECT_TIMEOUT_MS },
      {
        onOpen: () => connection.close(),
        onMessage: () => {},
        onClose: ({ code: outcome }) => {
          // A dying process may still accept for a moment; a connection that it resets says nothing yet.
          if (outcome === 'reset' && attempt < PROBES_MAX && !this.#closed) {
            timers.set(PROBE_RETRY_MS, () => this.#probe(id, url, lost, attempt + 1));
            return;
          }
          this.#probing.delete(id);
          const fields = { peerId: id, reason: lost.code, probe: outcome };
          this.#logger.info(fields, 'Lost the connection to a peer');
          if (outcome === 'refused' && !this.#closed) this.#options.onDead(id);
        },
      },
    );
  }
}
