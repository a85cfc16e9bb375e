import type { z } from 'zod';
import { nearest } from '../platform/nearest.ts';
import { configSchema, type NodeConfig } from './config.ts';
import { type ConfigKey, configKeys, configSections, nearestKey } from './config-keys.ts';
import { unitsOf } from './config-values.ts';

/** A config that can't be used. The message has a line for each key that is wrong, and says what would be right. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'INVALID_CONFIG';
}

/** What is wrong with one key. */
export interface ConfigProblem {
  readonly name: string;
  readonly message: string;
}

/** Checks a configuration and fills in the defaults. @throws ConfigError naming every key that is wrong. */
export function nodeConfig(input: unknown): NodeConfig {
  const result = checkConfig(input);
  if ('config' in result) return result.config;
  throw new ConfigError(result.problems.map(({ message }) => message).join('\n'));
}

/** The same, telling problems apart by key. */
export function checkConfig(input: unknown): { config: NodeConfig } | { problems: ConfigProblem[] } {
  const result = configSchema.safeParse(input);
  if (result.success) return { config: result.data };
  return { problems: result.error.issues.flatMap((issue) => problems(issue, input)) };
}

/** What is said about a key that does not exist. */
export function unknownKey(name: string): string {
  if (configSections().includes(name)) {
    const inside = [...configKeys().keys()].find((key) => key.startsWith(`${name}.`));
    return `${name} is a section; one of its keys is ${inside}`;
  }
  return `${name} is an unknown key; did you mean ${nearestKey(name)}?`;
}

function problems(issue: z.core.$ZodIssue, input: unknown): ConfigProblem[] {
  const path = issue.path.map(String);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const name = [...path, key].join('.');
      return { name, message: unknownKey(name) };
    });
  }
  const key = keyAt(path);
  if (!key) {
    const name = path.join('.');
    return [{ name, message: `${name || 'a config'} is a map of keys and values` }];
  }
  const { name } = key;
  if (issue.code === 'custom') return [{ name, message: `${name}: ${issue.message}` }];
  const value = valueAt(input, name);
  return [{ name, message: value === undefined ? missing(key) : wrongValue(key, value, issue) }];
}

/** The key that an issue is about: the path may lead on into a list. */
function keyAt(path: readonly string[]): ConfigKey | undefined {
  for (let length = path.length; length > 0; length--) {
    const key = configKeys().get(path.slice(0, length).join('.'));
    if (key) return key;
  }
  return undefined;
}

function valueAt(input: unknown, name: string): unknown {
  let value = input;
  for (const part of name.split('.')) {
    value = typeof value === 'object' && value ? Reflect.get(value, part) : undefined;
  }
  return value;
}

function missing({ name, env, description }: ConfigKey): string {
  return `${name} is missing; set it in the file, with ${env} or with --set ${name}=... (${description})`;
}

function wrongValue(key: ConfigKey, value: unknown, issue: z.core.$ZodIssue): string {
  const { name, type, expects } = key;
  const shown = JSON.stringify(value);
  const nearby = nearestValue(key, value);
  const rest = nearby === undefined ? '' : `; did you mean ${nearby}?`;
  if (type === 'text' || type === 'list') {
    const quoted = typeof value === 'number' || typeof value === 'boolean' ? `; write "${value}"` : '';
    const detail = issue.code === 'invalid_type' ? '' : ` (${issue.message})`;
    return `${name} is ${expects}, not ${shown}${detail}${quoted}`;
  }
  const units = typeof value === 'string' && /\d/.test(value) ? unitsOf(key) : undefined;
  const hint = units && !nearby ? `; a unit is one of ${[...units.keys()].join(', ')}` : '';
  return `${name} is ${expects}, not ${shown}${rest}${hint}`;
}

/** The right value that is most like a wrong one, where one is. */
function nearestValue({ type, choices, min, max }: ConfigKey, value: unknown): string | undefined {
  if (type === 'integer')
    return typeof value === 'number' ? String(Math.min(Math.max(Math.round(value), min), max)) : undefined;
  return type === 'choice' ? nearest(String(value), choices) : undefined;
}
