/** Checks numbers of options once, when a client is made, with a message that says what to change. */

import { ClientError } from './errors.ts';

export interface NumberRange {
  readonly min: number;
  readonly max?: number;
}

/** The defaults overlaid with what was given; each number within its range, or an `INVALID_CONFIG` error. */
export function withLimits<T extends Readonly<Record<string, number>>>(
  what: string,
  defaults: T,
  given: { readonly [K in keyof T]?: number | undefined },
  ranges: { readonly [K in keyof T]?: NumberRange } = {},
): T {
  const limits: Record<string, number> = { ...defaults };
  for (const name of Object.keys(defaults)) {
    const value = given[name];
    if (value === undefined) continue;
    const { min, max = Number.MAX_SAFE_INTEGER } = ranges[name] ?? { min: 1 };
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new ClientError(
        'INVALID_CONFIG',
        `${what}: ${name} must be an integer from ${min} to ${max}, not ${value}`,
      );
    }
    limits[name] = value;
  }
  return limits as T;
}
