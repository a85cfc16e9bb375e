import type { Acceptor, Logger, Meter, Network } from '../platform/ports.ts';
import { BufferBudget } from '../transport/buffer-budget.ts';
import { KafkaNetwork } from '../transport/kafka-network.ts';
import type { WsDialerOptions } from '../transport/ws-dialer.ts';
import { WsNetwork } from '../transport/ws-network.ts';
import type { NodeConfig } from './config.ts';

/** A node's networks on the real sockets of this process, as its config has them. */
export function createNetworks(
  config: NodeConfig,
  options: WsDialerOptions & { readonly logger: Logger; readonly meter?: Meter | undefined },
): { readonly network: Network; readonly kafkaNetwork: Acceptor } {
  const { limits, allowedOrigins, host, advertisedHost } = config;
  const { connectionIdleTimeoutMs: idleTimeoutMs, connectionBuffersBytesMax: bytesMax } = limits;
  const { logger, meter } = options;
  const budget = new BufferBudget({ bytesMax, logger, meter });
  const ownNames = advertisedHost === undefined ? [host] : [host, advertisedHost];
  return {
    network: new WsNetwork({ ...options, origins: { allowedOrigins, ownNames }, idleTimeoutMs, budget }),
    kafkaNetwork: new KafkaNetwork({ ...options, idleTimeoutMs, budget }),
  };
}
