import { type ConfigKey, configKeys } from '../../src/server/config-keys.ts';
import { withUnit } from '../../src/server/config-values.ts';
import { markdownTable } from './markdown.ts';

/** The keys of a node's config file. */
export function configTable(): string {
  const rows = Array.from(configKeys().values(), (key) => [
    `\`${key.name}\``,
    key.required ? '(to be set)' : defaultOf(key),
    valuesOf(key),
    key.description,
  ]);
  return markdownTable(['key', 'default', 'values', 'meaning'], rows);
}

function defaultOf(key: ConfigKey): string {
  if (key.default === undefined || String(key.default) === '') return '';
  const unit = typeof key.default === 'number' ? withUnit(key, key.default) : undefined;
  return `\`${key.default}\`${unit ? ` (${unit})` : ''}`;
}

function valuesOf(key: ConfigKey): string {
  const { type, choices, min, max } = key;
  const bound = (value: number) => {
    const text = withUnit(key, value);
    return text !== undefined && Number.parseInt(text, 10) < 10_000 ? text : String(value);
  };
  if (choices.length > 0) return choices.map((choice) => `\`${choice}\``).join(', ');
  return type === 'integer' ? `${bound(min)} to ${bound(max)}` : type;
}
