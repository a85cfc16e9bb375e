import { WebSocket } from 'ws';
import type { Connection, ConnectionHandlers, Dialer, Timers } from '../platform/ports.ts';
import { nodeTimers } from '../platform/timers.ts';
import { type Sockets, systemSockets } from './sockets.ts';
import { WsConnection } from './ws-connection.ts';
import { fragmentsMax } from './ws-fragments.ts';
import { Heartbeat } from './ws-heartbeat.ts';

/** How long a side waits for the other's close frame before it drops the socket. */
const CLOSE_TIMEOUT_MS = 2000;

/** The options of `ws` that both sides share. No compression: a small message must not inflate without bound. */
export const webSocketOptions = (messageBytesMax: number) => ({
  perMessageDeflate: false,
  closeTimeout: CLOSE_TIMEOUT_MS,
  maxPayload: messageBytesMax,
  maxFragments: fragmentsMax(messageBytesMax),
  skipUTF8Validation: true,
});

export interface WsDialerOptions {
  /** Those of the operating system by default. */
  readonly sockets?: Sockets;
  /** For the pings alone. */
  readonly timers?: Timers;
}

/** Opens WebSocket connections from Node.js. */
export class WsDialer implements Dialer {
  protected readonly sockets: Sockets;
  protected readonly timers: Timers;
  readonly #heartbeat: Heartbeat;

  constructor({ sockets = systemSockets, timers = nodeTimers }: WsDialerOptions = {}) {
    this.sockets = sockets;
    this.timers = timers;
    this.#heartbeat = new Heartbeat(timers);
  }

  connect(
    url: string,
    options: { readonly messageBytesMax: number; readonly connectTimeoutMs: number },
    handlers: ConnectionHandlers,
  ): Connection {
    const ws = new WebSocket(url, {
      ...webSocketOptions(options.messageBytesMax),
      handshakeTimeout: options.connectTimeoutMs,
      // The mask protects proxies from scripts in browsers, which may choose the bytes (RFC 6455 section 10.3).
      // This is no browser, and with the zero mask neither side copies or touches the record batches.
      generateMask: () => {},
      finishRequest: (request) => {
        request.once('socket', (socket) => this.sockets.dialed(socket));
        request.end();
      },
    });
    const connection = new WsConnection(ws, url, this.#heartbeat);
    connection.attach(handlers);
    ws.once('upgrade', ({ socket }) => ws.once('open', () => connection.opened(socket)));
    return connection;
  }
}
