/**
 * The ports (`ports.ts`) and their Node.js implementations, one file each. This is the lowest layer: it imports
 * nothing else of `src/`. Only here and in `transport/` do clocks, timers, chance, files and sockets appear.
 */
import { nodeClock } from './clock.ts';
import { nodeCrash } from './crash.ts';
import { nodeDisk } from './disk.ts';
import type { Acceptor, Logger, Network, Platform } from './ports.ts';
import { nodeRandom } from './random.ts';
import { nodeTimers } from './timers.ts';

/** Everything a node asks of the world. The network comes from the transport layer (`WsNetwork`,
 * `KafkaNetwork`). */
export function nodePlatform({
  logger,
  network,
  kafkaNetwork,
}: {
  readonly logger: Logger;
  readonly network: Network;
  readonly kafkaNetwork?: Acceptor;
}): Platform {
  return {
    clock: nodeClock,
    timers: nodeTimers,
    random: nodeRandom,
    network,
    ...(kafkaNetwork && { kafkaNetwork }),
    disk: nodeDisk,
    logger,
    crash: nodeCrash(logger),
  };
}
