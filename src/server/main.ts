import { installNativeCrc32c } from '../platform/crc32c.ts';
import { createLogger, prettyStream } from '../platform/logger.ts';
import { nodePlatform } from '../platform/node.ts';
import { crc32cJs, setCrc32c } from '../protocol/crc32c.ts';
import { WsNetwork } from '../transport/ws-network.ts';
import type { NodeConfig } from './config.ts';
import { OdradekNode } from './node.ts';

/** A node on the real platform of this process, to be started. @throws IdentityError, DiskError */
export async function createNode(config: NodeConfig): Promise<OdradekNode> {
  const stream = config.logPretty ? await prettyStream() : undefined;
  const logger = createLogger({ level: config.logLevel, ...(stream && { stream }) });
  await installNativeCrc32c({ js: crc32cJs, install: setCrc32c }, logger);
  return OdradekNode.open(config, nodePlatform({ logger, network: new WsNetwork({ logger }) }));
}
