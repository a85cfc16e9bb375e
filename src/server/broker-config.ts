import { BROKER_DEFAULTS, type BrokerConfig, type ShownConfig } from '../broker/context.ts';
import type { NodeConfig } from './config.ts';
import { type ConfigKey, configKeys } from './config-keys.ts';
import { kafkaNamed } from './kafka-names.ts';
import { writtenConfig } from './written-config.ts';

const SHOWN_TYPE: Readonly<Record<ConfigKey['type'], ShownConfig['type']>> = {
  text: 'string',
  integer: 'long',
  flag: 'boolean',
  choice: 'enum',
  list: 'list',
};

/** What the broker's handlers need of the config, and how `DescribeConfigs` shows all of it. */
export function brokerConfig(config: NodeConfig): BrokerConfig {
  const shown = writtenConfig(config).map(([name, value]) => {
    const key = configKeys().get(name);
    return {
      name,
      value,
      type: SHOWN_TYPE[key?.type ?? 'text'],
      isDefault: String(key?.default) === value,
      documentation: key?.description ?? null,
    };
  });
  return {
    ...BROKER_DEFAULTS,
    autoCreateTopics: config.autoCreateTopics,
    logDir: `${config.dataDir}/log`,
    shown: [...shown, ...kafkaNamed(shown)],
  };
}
