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
import type { ConnectionHandlers, Listener, ListenOptions, Logger, Network } from '../platform/ports.ts';
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

/** The Network port over WebSockets; plain HTTP GET is answered on the same port. */
export class WsNetwork extends WsDialer implements Network {
  readonly #logger: Logger;

  constructor({ logger, ...options }: WsDialerOptions & { readonly logger: Logger }) {
    super(options);
    this.#logger = logger;
  }

  async listen(options: ListenOptions): Promise<Listener> {
    const { sockets, timers } = this;
    const listener = new WsListener(options, {
      logger: this.#logger,
      sockets,
      heartbeat: new Heartbeat(timers),
    });
    await listener.start();
    return listener;
  }
}

interface ListenerParts {
  readonly logger: Logger;
  readonly sockets: Sockets;
  readonly heartbeat: Heartbeat;
}

class WsListener implements Listener {
  readonly #options: ListenOptions;
  readonly #logger: Logger;
  readonly #sockets: Sockets;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #connections = new Set<WsConnection>();
  readonly #heartbeat: Heartbeat;

  constructor(options: ListenOptions, { logger, sockets, heartbeat }: ListenerParts) {
    this.#options = options;
    this.#logger = logger;
    this.#sockets = sockets;
    this.#heartbeat = heartbeat;
    const timeouts = {
      headersTimeout: UPGRADE_TIMEOUT_MS,
      requestTimeout: UPGRADE_TIMEOUT_MS,
      connectionsCheckingInterval: UPGRADE_CHECK_INTERVAL_MS,
    };
    this.#http = createServer(timeouts, (request, response) => this.#answerHttp(request, response));
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
      this.#sockets.listen(this.#http, { host, port, backlog: LISTEN_BACKLOG });
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
      socket.on('error', () => {});
      socket.end('HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
      return;
    }
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => this.#accept(ws, request, remote));
  }

  #accept(ws: WebSocket, request: IncomingMessage, remote: string): void {
    const connection = new WsConnection(ws, remote, this.#heartbeat);
    this.#connections.add(connection);
    connection.attach(this.#untracking(connection, this.#options.onConnection(connection)));
    connection.opened(request.socket);
  }

  #untracking(connection: WsConnection, handlers: ConnectionHandlers): ConnectionHandlers {
    return {
      onMessage: (parts) => handlers.onMessage(parts),
      onDrain: () => handlers.onDrain?.(),
      onClose: (reason) => {
        this.#connections.delete(connection);
        handlers.onClose(reason);
      },
    };
  }

  #answerHttp(request: IncomingMessage, response: ServerResponse): void {
    const path = request.url?.split('?', 1)[0] ?? '/';
    const isGet = request.method === 'GET' || request.method === 'HEAD';
    const answer = isGet ? this.#options.onHttp?.(path) : { status: 405, body: 'only GET is answered\n' };
    const { status, body } = answer ?? { status: 404, body: 'not found\n' };
    const contentType = body.startsWith('{') ? 'application/json' : 'text/plain; charset=utf-8';
    response.writeHead(status, { 'content-type': contentType }).end(body);
  }
}
