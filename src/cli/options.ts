/** Values of options, checked as they are parsed: what is wrong with one is a usage error that says what is right. */
import { UsageError } from './run.ts';

export const DEFAULT_BOOTSTRAP = 'ws://127.0.0.1:7001';

/** For yargs' `coerce`: an option that takes one text and is given at most once. */
export function oneText(name: string): (value: unknown) => string | undefined {
  return (value) => {
    if (value === undefined) return undefined;
    if (Array.isArray(value)) throw new UsageError(`${name} is given twice`);
    return String(value);
  };
}

/** For yargs' `coerce`: one text, if there is any, as what `parse` makes of it. */
export function optional<T>(name: string, parse: (text: string) => T): (value: unknown) => T | undefined {
  const one = oneText(name);
  return (value) => {
    const text = one(value);
    return text === undefined ? undefined : parse(text);
  };
}

/** For yargs' `coerce`: an integer from `low` on, in plain digits. The option's type must be string. */
export function integer(
  name: string,
  low: number,
  high = Number.MAX_SAFE_INTEGER,
): (value: unknown) => number | undefined {
  const text = oneText(name);
  return (value) => {
    const digits = text(value);
    if (digits === undefined) return undefined;
    const number = /^\d+$/.test(digits) ? Number(digits) : Number.NaN;
    if (number >= low && number <= high) return number;
    const range = high === Number.MAX_SAFE_INTEGER ? `${low} or more` : `${low} to ${high}`;
    throw new UsageError(`${name} is an integer, ${range}, not "${digits}"`);
  };
}

/** `k=v` pairs as one object. An empty value is `empty` (null: back to the default). */
export function keyValues(pairs: readonly string[], name: string): Record<string, string> {
  const entries = pairs.map((pair): [string, string] => {
    const at = pair.indexOf('=');
    if (at < 1) throw new UsageError(`${name} takes key=value, such as retention.ms=3600000, not "${pair}"`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  const keys = entries.map(([key]) => key);
  const twice = keys.find((key, index) => keys.indexOf(key) < index);
  if (twice !== undefined) throw new UsageError(`${name} sets ${twice} twice`);
  return Object.fromEntries(entries);
}
