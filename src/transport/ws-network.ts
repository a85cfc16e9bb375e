/**
 * Connections and remote calls. `ws-network.ts` and `ws-dialer.ts` implement the Network and Dialer ports over
 * WebSockets (Node.js only); `rpc-client.ts` and `rpc-server.ts` speak requests and responses over any
 * implementation of those ports, and run in a browser and in the simulator too. This folder knows what a message
 * of the protocol is, never what a request means. It may import `protocol/` and `platform/`. Begin with `rpc-server.ts`.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type {
  CloseReason,
  ConnectionHandlers,
  HttpAnswer,
  Listener,
  ListenOptions,
  Logger,
  Network,
} from '../platform/ports.ts';
import type { BufferBudget } from './buffer-budget.ts';
import { mayConnect, type OriginPolicy, OWN_PAGES_ONLY } from './origin-policy.ts';
import type { Sockets } from './sockets.ts';
import { WsConnection } from './ws-connection.ts';
import { WsDialer, type WsDialerOptions, webSocketOptions } from './ws-dialer.ts';
import { Heartbeat } from './ws-heartbeat.ts';

/** How long a caller has to send its HTTP request or upgrade. */
const UPGRADE_TIMEOUT_MS = 5000;
const UPGRADE_CHECK_INTERVAL_MS = 1000;
/** Sockets beyond `connectionsMax` for health checks and for those whose upgrade is still to come. */
const HTTP_SOCKETS_EXTRA = 64;
const LISTEN_BACKLOG = 1024;
const IDLE_TIMEOUT_MS = 10 * 60 * 1000;

export interface WsNetworkOptions extends WsDialerOptions {
  readonly logger: Logger;
  /** Which pages may connect; only those of the listener's own origin by default. */
  readonly origins?: OriginPolicy;
  /**
   * An accepted connection without a message in either direction for so long is closed; 10 minutes by default, like
   * Kafka's `connections.max.idle.ms`. Long polls answer far sooner, so who waits in one is not cut off.
   */
  readonly idleTimeoutMs?: number;
  /** Shared by the listeners of a node; without it only the limits of each connection hold. */
  readonly budget?: BufferBudget;
}

/** The Network port over WebSockets; plain HTTP GET is answered on the same port. */
export class WsNetwork extends WsDialer implements Network {
  readonly #options: WsNetworkOptions;

  constructor(options: WsNetworkOptions) {
    super(options);
    this.#options = options;
  }

  async listen(options: ListenOptions): Promise<Listener> {
    const { logger, origins = OWN_PAGES_ONLY, idleTimeoutMs = IDLE_TIMEOUT_MS, budget } = this.#options;
    const heartbeat = new Heartbeat(this.timers, idleTimeoutMs);
    const { sockets } = this;
    const listener = new WsListener(options, { logger, sockets, heartbeat, origins, budget });
    await listener.start();
    return listener;
  }
}

interface ListenerParts {
  readonly logger: Logger;
  readonly sockets: Sockets;
  readonly heartbeat: Heartbeat;
  readonly origins: OriginPolicy;
  readonly budget: BufferBudget | undefined;
}

class WsListener implements Listener {
  readonly #options: ListenOptions;
  readonly #parts: ListenerParts;
  readonly #logger: Logger;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #connections = new Set<WsConnection>();

  constructor(options: ListenOptions, parts: ListenerParts) {
    this.#options = options;
    this.#parts = parts;
    this.#logger = parts.logger;
    const timeouts = {
      headersTimeout: UPGRADE_TIMEOUT_MS,
      requestTimeout: UPGRADE_TIMEOUT_MS,
      connectionsCheckingInterval: UPGRADE_CHECK_INTERVAL_MS,
    };
    this.#http = createServer(timeouts, (request, response) => {
      void this.#answerHttp(request, response);
    });
    this.#http.maxConnections = options.connectionsMax + HTTP_SOCKETS_EXTRA;
    this.#webSockets = new WebSocketServer({
      ...webSocketOptions(options.messageBytesMax),
      noServer: true,
      clientTracking: false,
    });
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  start(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.once('listening', () => {
        this.#http.off('error', reject);
        this.#http.on('error', (err) => this.#logger.error({ err, port }, 'The listener failed'));
        resolve();
      });
      this.#parts.sockets.listen(this.#http, { host, port, backlog: LISTEN_BACKLOG });
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#http.close(() => resolve());
    });
    for (const connection of this.#connections) connection.close('the server is closing');
    // WebSockets are not among these: they end with a close frame, or after the close timeout.
    this.#http.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const remote = `${request.socket.remoteAddress}:${request.socket.remotePort}`;
    if (this.#connections.size >= this.#options.connectionsMax) {
      const { connectionsMax } = this.#options;
      this.#logger.warn({ remote, connectionsMax }, 'A connection was refused: there are too many');
      this.#options.onRefused?.('connectionsMax');
      refuse(socket, '503 Service Unavailable');
      return;
    }
    const { origin, host } = request.headers;
    if (!mayConnect({ origin, host }, this.#parts.origins)) {
      this.#logger.warn(
        { remote, origin, configKey: 'allowedOrigins' },
        'A page was refused: its origin is not among the allowedOrigins of the config',
      );
      this.#options.onRefused?.('origin');
      refuse(socket, '403 Forbidden');
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, request, remote));
  }

  #accept(ws: WebSocket, request: IncomingMessage, remote: string): void {
    const connection = new WsConnection(ws, remote, this.#parts.heartbeat);
    this.#connections.add(connection);
    if (this.#parts.budget) connection.charge(this.#parts.budget, request.socket);
    connection.attach(this.#untracking(connection, this.#options.onConnection(connection)));
    connection.opened(request.socket);
  }

  #untracking(connection: WsConnection, handlers: ConnectionHandlers): ConnectionHandlers {
    return {
      onMessage: (parts) => handlers.onMessage(parts),
      onDrain: () => handlers.onDrain?.(),
      onClose: (reason) => {
        this.#connections.delete(connection);
        this.#report(connection.remote, reason);
        handlers.onClose(reason);
      },
    };
  }

  /** Oversized messages, texts, floods of fragments; and peers that are gone, take nothing or say nothing. */
  #report(remote: string, { code, message }: CloseReason): void {
    if (code === 'protocol')
      this.#logger.warn({ remote, reason: message }, 'A connection broke the protocol');
    if (code === 'timeout') this.#logger.info({ remote, reason: message }, 'A connection timed out');
  }

  async #answerHttp(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body, contentType } = await this.#httpAnswer(request);
    response.writeHead(status, { 'content-type': contentType ?? 'text/plain; charset=utf-8' }).end(body);
  }

  async #httpAnswer({ method, url }: IncomingMessage): Promise<HttpAnswer> {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: 'only GET is answered\n' };
    const path = url?.split('?', 1)[0] ?? '/';
    try {
      return (await this.#options.onHttp?.(path)) ?? { status: 404, body: 'not found\n' };
    } catch (err) {
      this.#logger.error({ path, err }, 'An HTTP request could not be answered');
      return { status: 500, body: 'the log of the node says more\n' };
    }
  }
}

function refuse(socket: Duplex, status: string): void {
  socket.on('error', () => {});
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
