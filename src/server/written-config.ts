import type { NodeConfig } from './config.ts';

/** Every key that has a value, with the value as a text that `--set` would take. */
export function writtenConfig(config: NodeConfig): [name: string, value: string][] {
  const voters = config.voters.map((voter) => `${voter.id}@${voter.host}:${voter.port}`);
  return flatten({ ...config, voters });
}

function flatten(tree: object, prefix = ''): [name: string, value: string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return flatten(value, `${prefix}${key}.`);
    return value === undefined ? [] : [[`${prefix}${key}`, String(value)]];
  });
}
