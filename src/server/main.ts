import { nodeClock } from '../platform/clock.ts';
import { installNativeCrc32c } from '../platform/crc32c.ts';
import { createLogger, prettyStream } from '../platform/logger.ts';
import { measureProcess } from '../platform/metrics.ts';
import { nodePlatform } from '../platform/node.ts';
import { PrometheusMeter } from '../platform/prometheus.ts';
import { nodeCodecs } from '../protocol/codecs/node.ts';
import { setCodecLoader } from '../protocol/compression.ts';
import { crc32cJs, setCrc32c } from '../protocol/crc32c.ts';
import type { NodeConfig } from './config.ts';
import { createNetworks } from './networks.ts';
import { OdradekNode } from './node.ts';

/** A node on the real platform of this process, to be started. @throws IdentityError, DiskError */
export async function createNode(config: NodeConfig): Promise<OdradekNode> {
  const stream = config.logPretty ? await prettyStream() : undefined;
  const logger = createLogger({
    level: config.logLevel,
    fields: { nodeId: config.nodeId },
    ...(stream && { stream }),
  });
  await installNativeCrc32c({ js: crc32cJs, install: setCrc32c }, logger);
  setCodecLoader(nodeCodecs(logger));
  const meter = new PrometheusMeter(nodeClock);
  const platform = nodePlatform({ logger, ...createNetworks(config, { logger, meter }) });
  measureProcess(meter, config.dataDir);
  return OdradekNode.open(config, { ...platform, meter });
}
