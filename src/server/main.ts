import { installNativeCrc32c } from '../platform/crc32c.ts';
import { createLogger, prettyStream } from '../platform/logger.ts';
import { measureProcess } from '../platform/metrics.ts';
import { nodePlatform } from '../platform/node.ts';
import { PrometheusMeter } from '../platform/prometheus.ts';
import { crc32cJs, setCrc32c } from '../protocol/crc32c.ts';
import { BufferBudget } from '../transport/buffer-budget.ts';
import { KafkaNetwork } from '../transport/kafka-network.ts';
import { WsNetwork } from '../transport/ws-network.ts';
import type { NodeConfig } from './config.ts';
import { OdradekNode } from './node.ts';

/** A node on the real platform of this process, to be started. @throws IdentityError, DiskError */
export async function createNode(config: NodeConfig): Promise<OdradekNode> {
  const stream = config.logPretty ? await prettyStream() : undefined;
  const logger = createLogger({ level: config.logLevel, ...(stream && { stream }) });
  await installNativeCrc32c({ js: crc32cJs, install: setCrc32c }, logger);
  const { limits, allowedOrigins, host, advertisedHost } = config;
  const { connectionIdleTimeoutMs: idleTimeoutMs } = limits;
  const budget = new BufferBudget({ bytesMax: limits.connectionBuffersBytesMax, logger });
  const network = new WsNetwork({
    logger,
    origins: { allowedOrigins, ownNames: advertisedHost === undefined ? [host] : [host, advertisedHost] },
    idleTimeoutMs,
    budget,
  });
  const kafkaNetwork = new KafkaNetwork({ logger, idleTimeoutMs, budget });
  const platform = nodePlatform({ logger, network, kafkaNetwork });
  const meter = new PrometheusMeter(platform.clock);
  measureProcess(meter, config.dataDir);
  return OdradekNode.open(config, { ...platform, meter });
}
