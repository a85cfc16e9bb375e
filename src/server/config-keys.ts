import { z } from 'zod';
import { nearest } from '../platform/nearest.ts';
import { configSchema } from './config.ts';

/** One key of the configuration, as whoever sets it needs to know it. */
export interface ConfigKey {
  /** As in a file, the sections in front: `limits.requestBytesMax`. */
  readonly name: string;
  /** The environment variable: `ODRADEK_LIMITS_REQUEST_BYTES_MAX`. */
  readonly env: string;
  readonly type: 'text' | 'integer' | 'flag' | 'choice' | 'list';
  /** What is right, to be read after "is": `an integer from 0 to 65535`. */
  readonly expects: string;
  /** Undefined where there is none. */
  readonly default: unknown;
  readonly required: boolean;
  readonly description: string;
  /** Bounds of an integer. */
  readonly min: number;
  readonly max: number;
  /** The values of a choice or flag. */
  readonly choices: readonly string[];
}

export const ENV_PREFIX = 'ODRADEK_';

type JsonSchema = z.core.JSONSchema.JSONSchema;

let keys: ReadonlyMap<string, ConfigKey> | undefined;

/** Every key by name, in the order of the schema. Sections are not keys. */
export function configKeys(): ReadonlyMap<string, ConfigKey> {
  keys ??= new Map(leaves(z.toJSONSchema(configSchema, { io: 'input' })).map((key) => [key.name, key]));
  return keys;
}

/** The names of the sections. */
export function configSections(): readonly string[] {
  const names = [...configKeys().keys()].flatMap((name) => name.split('.').slice(0, -1).join('.') || []);
  return [...new Set(names)];
}

/** The key or section that `name` was probably meant to be; a section left out or wrong hardly counts. */
export function nearestKey(name: string): string {
  const aliases = new Map([...configKeys().keys()].map((key) => [key.split('.').at(-1) ?? key, key]));
  for (const known of [...configSections(), ...configKeys().keys()]) aliases.set(known, known);
  const leaf = name.split('.').at(-1) ?? name;
  const alias = aliases.has(leaf) ? leaf : nearest(name, aliases.keys());
  return (alias && aliases.get(alias)) ?? name;
}

function leaves(schema: JsonSchema, prefix = ''): ConfigKey[] {
  return Object.entries(schema.properties ?? {}).flatMap(([property, child]) => {
    if (typeof child === 'boolean') return [];
    const name = `${prefix}${property}`;
    if (child.type === 'object') return leaves(child, `${name}.`);
    return [keyOf(name, child, schema.required?.includes(property) ?? false)];
  });
}

function keyOf(name: string, schema: JsonSchema, required: boolean): ConfigKey {
  const { minimum: min = Number.MIN_SAFE_INTEGER, maximum: max = Number.MAX_SAFE_INTEGER } = schema;
  const common = {
    name,
    env:
      ENV_PREFIX +
      name
        .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
        .replaceAll('.', '_')
        .toUpperCase(),
    default: schema.default,
    required,
    description: schema.description ?? '',
    ...{ min, max },
    choices: schema.type === 'boolean' ? ['true', 'false'] : (schema.enum ?? []).map(String),
  };
  const unit = name.endsWith('Ms') ? ' of milliseconds' : name.includes('Bytes') ? ' of bytes' : '';
  if (common.choices.length > 0) {
    const type = schema.type === 'boolean' ? 'flag' : 'choice';
    return { ...common, type, expects: common.choices.join(' or ') };
  }
  if (schema.type === 'integer')
    return { ...common, type: 'integer', expects: `an integer${unit} from ${min} to ${max}` };
  if (schema.type === 'array') return { ...common, type: 'list', expects: 'a list' };
  return { ...common, type: 'text', expects: 'a text' };
}
