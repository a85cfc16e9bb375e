import type { MetadataImage } from '../metadata/image.ts';
import type { CloseReason, Logger, Platform } from '../platform/ports.ts';
import { KafkaError } from '../protocol/errors.ts';
import type { Api } from '../protocol/schema.ts';
import type { Endpoint, Voter } from '../raft/types.ts';
import { RpcClient } from '../transport/rpc-client.ts';
import { PeerAddresses, type Whereabouts } from './peer-addresses.ts';
import { LISTENER } from './voter-addresses.ts';

/**
 * `control` carries small requests whose delay matters (votes, entries, heartbeats); `fetch` the bulk of follower
 * fetches, on a connection of its own so that it never stands before the others.
 */
type Channel = 'control' | 'fetch';

export interface PeersOptions {
  /** Tells the others that a node is asking. */
  readonly clientId: string;
  readonly catalogueVersion: number;
  /** The voters of the configuration. */
  readonly configured: readonly { readonly id: number; readonly host: string; readonly port: number }[];
  /** Those of the quorum. */
  voters(): readonly Voter[];
  readonly platform: Pick<Platform, 'network' | 'clock' | 'timers' | 'logger'>;
  readonly responseBytesMax: number;
  image(): MetadataImage;
  /** The process of this node is surely gone: its host answers, and refuses the connection. */
  onDead(id: number): void;
}

const CONNECT_TIMEOUT_MS = 1000;
const PROBE_RETRY_MS = 50;
const PROBES_MAX = 10;

const urlOf = ({ host, port }: Endpoint): string => `ws://${host}:${port}`;

/** The connections from this node to the others, opened when first used. */
export class Peers {
  readonly #options: PeersOptions;
  readonly #logger: Logger;
  readonly #addresses: PeerAddresses;
  readonly #clients = new Map<string, RpcClient>();
  readonly #probing = new Set<number>();
  #closed = false;

  constructor(options: PeersOptions) {
    this.#options = options;
    this.#logger = options.platform.logger;
    this.#addresses = new PeerAddresses(whereaboutsBy(options));
  }

  /** Calls an API of another node. @throws KafkaError, RpcError */
  call<Request, Response>(
    channel: Channel,
    id: number,
    api: Api<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> {
    const url = this.#addresses.urlOf(id);
    if (this.#closed || url === undefined) {
      return Promise.reject(new KafkaError('BROKER_NOT_AVAILABLE', `node ${id} has no known address`));
    }
    return this.#client(channel, id, url).call(api, request, { timeoutMs });
  }

  /** A peer said where it is. */
  announced(id: number, at: Endpoint): void {
    this.#addresses.announced(id, urlOf(at));
  }

  /** A peer said which voters there are, and where. */
  told(voters: readonly Voter[]): void {
    for (const { id, endpoint } of voters) if (endpoint) this.#addresses.told(id, urlOf(endpoint));
  }

  close(): void {
    this.#closed = true;
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #client(channel: Channel, id: number, url: string): RpcClient {
    const key = `${channel} ${id}`;
    const existing = this.#clients.get(key);
    if (existing?.url === url) return existing;
    existing?.close();
    const { platform, clientId, catalogueVersion, responseBytesMax } = this.#options;
    const client = new RpcClient({
      dialer: platform.network,
      clock: platform.clock,
      timers: platform.timers,
      url,
      clientId,
      catalogueVersion,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      responseBytesMax,
      serverId: id,
      onOpen: () => this.#found(id, url),
      onClose: (reason, wasOpen) => this.#lost(id, url, reason, wasOpen),
    });
    this.#clients.set(key, client);
    return client;
  }

  #found(id: number, url: string): void {
    if (this.#addresses.found(id, url)) this.#logger.info({ peerId: id, url }, 'A peer has moved: found it');
  }

  /**
   * A lost socket is a hint that the process may be gone. The kernel of its machine knows: it refuses a new connection
   * at once, and so nobody has to wait out a session.
   */
  #lost(id: number, url: string, reason: CloseReason, wasOpen: boolean): void {
    if (this.#closed) return;
    const isHome = this.#addresses.isHome(id, url);
    if (!wasOpen) this.#addresses.missed(id, url);
    if (reason.code === 'refused') {
      if (isHome) this.#options.onDead(id);
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
          if (outcome === 'refused' && !this.#closed && this.#addresses.isHome(id, url))
            this.#options.onDead(id);
        },
      },
    );
  }
}

function whereaboutsBy({ configured, voters, image }: PeersOptions): Whereabouts {
  const urls = new Map(configured.map((voter) => [voter.id, urlOf(voter)]));
  return {
    configured: (id) => urls.get(id),
    voting: (id) => {
      const endpoint = voters().find((voter) => voter.id === id)?.endpoint;
      return endpoint && urlOf(endpoint);
    },
    registered: (id) => {
      const listeners = image().brokers.get(id)?.listeners;
      const listener = listeners?.find(({ name }) => name === LISTENER);
      return listener && urlOf(listener);
    },
  };
}
