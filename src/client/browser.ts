/** The client for browsers, pages and workers alike: the same, with the browser's world wired up. */

import { browserClock, browserRandom, browserTimers } from '../platform/browser.ts';
import { javascriptCodecs } from '../protocol/codecs/javascript.ts';
import { WebSocketDialer } from '../transport/web-socket-dialer.ts';
import { OdradekClient, type OdradekOptions } from './index.ts';

export * from './index.ts';

/**
 * A browser holds new WebSockets back after some that failed, by up to 5 s (Chromium's WebSocketThrottler): with less
 * patience a page that was offline for long would give up each attempt before it began.
 */
const CONNECT_TIMEOUT_MS = 7_000;

/** `new Odradek({ bootstrap: 'ws://127.0.0.1:7001' })` */
export class Odradek extends OdradekClient {
  constructor(options: OdradekOptions) {
    super(
      { connectTimeoutMs: CONNECT_TIMEOUT_MS, ...options },
      {
        dialer: new WebSocketDialer(),
        clock: browserClock,
        timers: browserTimers,
        random: browserRandom,
        codecs: javascriptCodecs,
        ...(options.logger && { logger: options.logger }),
      },
    );
  }
}
