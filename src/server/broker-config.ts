import { BROKER_DEFAULTS, type BrokerConfig } from '../broker/context.ts';
import { type NodeConfig, nodeConfig } from './config.ts';

/** What the broker's handlers need of the config, and how `DescribeConfigs` shows all of it. */
export function brokerConfig(config: NodeConfig): BrokerConfig {
  const { nodeId, dataDir, voters } = config;
  const written = voters.map((voter) => `${voter.id}@${voter.host}:${voter.port}`);
  const defaults = new Map(flatten(nodeConfig({ nodeId, dataDir, voters: written })));
  const shown = flatten({ ...config, voters: written.join(',') }).map(([name, value]) => ({
    name,
    value,
    isDefault: defaults.get(name) === value,
  }));
  return { ...BROKER_DEFAULTS, logDir: `${dataDir}/log`, shown };
}

function flatten(tree: object, prefix = ''): [name: string, value: string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return flatten(value, `${prefix}${key}.`);
    return value === undefined ? [] : [[`${prefix}${key}`, String(value)]];
  });
}
