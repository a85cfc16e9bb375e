import { WebSocket } from 'ws';
import type { Connection, ConnectionHandlers, Dialer } from '../platform/ports.ts';
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

/** Opens WebSocket connections from Node.js. */
export class WsDialer implements Dialer {
  readonly #heartbeat = new Heartbeat();

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
    });
    const connection = new WsConnection(ws, url, this.#heartbeat);
    connection.attach(handlers);
    ws.once('upgrade', ({ socket }) => ws.once('open', () => connection.opened(socket)));
    return connection;
  }
}
