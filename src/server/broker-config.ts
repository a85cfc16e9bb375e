import { BROKER_DEFAULTS, type BrokerConfig } from '../broker/context.ts';
import type { NodeConfig } from './config.ts';
import { configKeys } from './config-keys.ts';
import { writtenConfig } from './written-config.ts';

/** What the broker's handlers need of the config, and how `DescribeConfigs` shows all of it. */
export function brokerConfig(config: NodeConfig): BrokerConfig {
  const shown = writtenConfig(config).map(([name, value]) => {
    const key = configKeys().get(name);
    return {
      name,
      value,
      isDefault: String(key?.default) === value,
      documentation: key?.description ?? null,
    };
  });
  return { ...BROKER_DEFAULTS, logDir: `${config.dataDir}/log`, shown };
}
