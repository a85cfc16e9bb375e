/**
 * A node's configuration from where it is written: a file (YAML), `ODRADEK_*` environment variables and `--set`. Each
 * of them wins over those before it. Whatever is wrong is said with the place where it is written.
 */
import { isMap, isScalar, LineCounter, parseDocument, type YAMLMap } from 'yaml';
import { nearest } from '../platform/nearest.ts';
import type { NodeConfig } from './config.ts';
import { ConfigError, checkConfig, unknownKey } from './config-check.ts';
import { configKeys, configSections, ENV_PREFIX } from './config-keys.ts';
import { valueOfText } from './config-values.ts';

/** Names the config file; not a key of it. */
export const CONFIG_FILE_ENV = `${ENV_PREFIX}CONFIG`;

export interface ConfigSources {
  /** The config file: what to call it in messages, and its text. */
  readonly file?: { readonly name: string; readonly text: string } | undefined;
  /** The environment of the process; what does not begin with `ODRADEK_` is ignored. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** `key=value` each. */
  readonly set?: readonly string[];
}

export interface ResolvedConfig {
  readonly config: NodeConfig;
  /** Where each key that is not a default was set, by name: `node.yaml:3`, `ODRADEK_PORT` or `--set`. */
  readonly origins: ReadonlyMap<string, string>;
}

/** One key as someone wrote it. An undefined value takes back what an earlier source says. */
interface Setting {
  readonly name: string;
  readonly value: unknown;
  readonly origin: string;
}

/** Reads, merges and checks. @throws ConfigError with a line for each thing that is wrong, and where it is written */
export function resolveConfig({ file, env = {}, set = [] }: ConfigSources): ResolvedConfig {
  const problems: string[] = [];
  const settings = [
    ...(file ? fileSettings(file) : []),
    ...envSettings(env, problems),
    ...set.map(setSetting),
  ];
  const chosen = new Map<string, Setting>();
  for (const setting of settings) {
    const { name, origin } = setting;
    if (!configKeys().has(name)) problems.push(`${origin}: ${unknownKey(name)}`);
    else if (setting.value === undefined) chosen.delete(name);
    else chosen.set(name, setting);
  }
  const result = checkConfig(treeOf(chosen.values()));
  if ('problems' in result) {
    for (const { name, message } of result.problems) {
      const origin = chosen.get(name)?.origin;
      problems.push(origin === undefined ? message : `${origin}: ${message}`);
    }
  }
  if (problems.length > 0 || !('config' in result)) throw new ConfigError([...new Set(problems)].join('\n'));
  const origins = new Map(Array.from(chosen, ([name, { origin }]) => [name, origin]));
  return { config: result.config, origins };
}

function fileSettings({ name, text }: { name: string; text: string }): Setting[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (position: number | undefined) =>
    position === undefined ? name : `${name}:${lines.linePos(position).line}`;
  const [error] = document.errors;
  if (error) throw new ConfigError(`${place(error.pos[0])}: not YAML: ${error.message}`);
  const { contents } = document;
  if (contents === null || (isScalar(contents) && contents.value === null)) return [];
  if (!isMap(contents)) throw new ConfigError(`${name}: a config file is a YAML map, such as "nodeId: 1"`);

  const settingsOf = (map: YAMLMap, prefix: string): Setting[] =>
    map.items.flatMap(({ key, value }): Setting[] => {
      const path = prefix + String(isScalar(key) ? key.value : key);
      const origin = place(isScalar(key) ? key.range?.[0] : undefined);
      if (isMap(value) && !configKeys().has(path)) {
        // An unknown section is one mistake, not one for each of its keys.
        return configSections().includes(path)
          ? settingsOf(value, `${path}.`)
          : [{ name: path, value: {}, origin }];
      }
      const plain = isScalar(value) ? value.value : jsOf(value);
      if (plain === null && configSections().includes(path)) return [];
      return [{ name: path, value: fromFile(path, plain), origin }];
    });
  const jsOf = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && 'toJS' in value && typeof value.toJS === 'function'
      ? value.toJS(document)
      : value;
  return settingsOf(contents, '');
}

/** A number in quotes or with a unit is as good; nothing after the colon is the default. */
function fromFile(name: string, value: unknown): unknown {
  const key = configKeys().get(name);
  if (key?.type === 'integer' && typeof value === 'string') return valueOfText(key, value);
  return value ?? undefined;
}

function envSettings(env: Readonly<Record<string, string | undefined>>, problems: string[]): Setting[] {
  const keys = new Map(Array.from(configKeys().values(), (key) => [key.env, key]));
  return Object.entries(env).flatMap(([variable, text]): Setting[] => {
    // An empty variable is one that a template left open.
    if (!variable.startsWith(ENV_PREFIX) || variable === CONFIG_FILE_ENV || !text) return [];
    const key = keys.get(variable);
    if (key && !isServiceLink(text))
      return [{ name: key.name, value: valueOfText(key, text), origin: variable }];
    if (key || /_SERVICE_(HOST|PORT)|_PORT_\d+_/.test(variable)) {
      problems.push(
        `${variable}: set by Kubernetes for a service of this name; set enableServiceLinks: false for the pod`,
      );
    } else {
      problems.push(`${variable} is no variable of Odradek; did you mean ${nearest(variable, keys.keys())}?`);
    }
    return [];
  });
}

/** Kubernetes gives a pod `NAME_PORT=tcp://...` for each service, and a service may well be named odradek. */
function isServiceLink(text: string): boolean {
  return /^(tcp|udp):\/\//.test(text);
}

function setSetting(written: string): Setting {
  const origin = `--set ${written}`;
  const at = written.indexOf('=');
  if (at < 1) throw new ConfigError(`${origin}: write key=value, such as port=7001`);
  const name = written.slice(0, at);
  const text = written.slice(at + 1);
  const key = configKeys().get(name);
  return { name, value: key && text !== '' ? valueOfText(key, text) : undefined, origin };
}

/** The settings, all of known keys, as the nested object that the schema reads. */
function treeOf(settings: Iterable<Setting>): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const { name, value } of settings) {
    const path = name.split('.');
    const leaf = path.pop() ?? '';
    let node = tree;
    for (const section of path) {
      const child = (node[section] ?? {}) as Record<string, unknown>;
      node[section] = child;
      node = child;
    }
    node[leaf] = value;
  }
  return tree;
}
