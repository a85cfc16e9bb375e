import type { Connection, ConnectionHandlers, Dialer } from '../../../src/platform/ports.ts';
import { WsDialer } from '../../../src/transport/ws-dialer.ts';

/** Dials a client's proxies in place of the nodes. */
export class LinkDialer implements Dialer {
  readonly #dialer = new WsDialer();
  readonly #addresses: Readonly<Record<string, string>>;

  /** @param addresses what to dial for which `host:port` */
  constructor(addresses: Readonly<Record<string, string>>) {
    this.#addresses = addresses;
  }

  connect(
    url: string,
    options: { readonly messageBytesMax: number; readonly connectTimeoutMs: number },
    handlers: ConnectionHandlers,
  ): Connection {
    const { host } = new URL(url);
    const address = this.#addresses[host];
    if (address === undefined) throw new Error(`no link to ${host}`);
    return this.#dialer.connect(`ws://${address}`, options, handlers);
  }
}
