/** What a text from the environment, `--set` or a quoted value of a file means for a key of a given type. */
import type { ConfigKey } from './config-keys.ts';

const BYTES = new Map([
  ['B', 1],
  ['KiB', 2 ** 10],
  ['MiB', 2 ** 20],
  ['GiB', 2 ** 30],
]);
const MILLISECONDS = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** The value that a text stands for. What can't be read is returned as it is, for the schema to refuse. */
export function valueOfText(key: ConfigKey, text: string): unknown {
  switch (key.type) {
    case 'integer':
      return integerOf(text, unitsOf(key)) ?? text;
    case 'flag':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'list':
      return text.split(',').map((item) => item.trim());
    default:
      return text;
  }
}

/** The units in which a text may give the key's value, by name; undefined for a plain number. */
export function unitsOf({ name }: Pick<ConfigKey, 'name'>): ReadonlyMap<string, number> | undefined {
  if (name.endsWith('Ms')) return MILLISECONDS;
  return name.includes('Bytes') ? BYTES : undefined;
}

/** The same number in the largest unit that divides it, such as `16 MiB`; undefined where there is none. */
export function withUnit(key: Pick<ConfigKey, 'name'>, value: number): string | undefined {
  const units = [...(unitsOf(key) ?? [])].reverse();
  const best = units.find(([, factor]) => factor > 1 && value >= factor && value % factor === 0);
  return best && `${value / best[1]} ${best[0]}`;
}

function integerOf(text: string, units: ReadonlyMap<string, number> | undefined): number | undefined {
  const match = /^(-?\d{1,16}) ?([A-Za-z]*)$/.exec(text.trim());
  if (!match) return undefined;
  const factor = match[2] ? units?.get(match[2]) : 1;
  return factor === undefined ? undefined : Number(match[1]) * factor;
}
