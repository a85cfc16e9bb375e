/** The client for Node.js: the same, with its world wired up. */

import { nodeClock } from '../platform/clock.ts';
import { installNativeCrc32c } from '../platform/crc32c.ts';
import { nodeRandom } from '../platform/random.ts';
import { nodeTimers } from '../platform/timers.ts';
import { nodeCodecs } from '../protocol/codecs/node.ts';
import { crc32cJs, setCrc32c } from '../protocol/crc32c.ts';
import { WsDialer } from '../transport/ws-dialer.ts';
import { type ClientPorts, OdradekClient, type OdradekOptions } from './index.ts';
import { silentLogger } from './rpc.ts';

export * from './index.ts';

let triedNativeCrc32c = false;

/** `new Odradek({ bootstrap: 'ws://127.0.0.1:7001' })` */
export class Odradek extends OdradekClient {
  /** `ports` are for whoever hosts clients: they replace those of Node.js. */
  constructor(options: OdradekOptions, ports: Partial<ClientPorts> = {}) {
    if (!triedNativeCrc32c) {
      triedNativeCrc32c = true;
      const install = { js: crc32cJs, install: setCrc32c };
      void installNativeCrc32c(install, options.logger ?? silentLogger);
    }
    super(options, {
      dialer: new WsDialer(),
      clock: nodeClock,
      timers: nodeTimers,
      random: nodeRandom,
      codecs: nodeCodecs(options.logger ?? silentLogger),
      ...(options.logger && { logger: options.logger }),
      ...ports,
    });
  }
}
