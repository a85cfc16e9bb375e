/** What both encodings check of a value, whoever it comes from: type, range and length. */

import type { PartsReader } from './message-parts.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Shape } from './schema.ts';
import { utf8Bytes } from './utf8.ts';
import { isUuid } from './uuid.ts';

/** The runs of record batches in one `records` field. */
const RECORD_RUNS_MAX = 100_000;

type Scalar = Exclude<Shape, { readonly kind: 'array' | 'struct' | 'records' }>;

/** Passes a value on if its shape allows it. */
export type Check = (value: unknown) => unknown;

export function scalarCheck(shape: Scalar, path: string): Check {
  switch (shape.kind) {
    case 'bool':
      return (value) => {
        if (typeof value === 'boolean') return value;
        throw wrongValue(path, 'a boolean', value);
      };
    case 'int8':
      return integer(-0x80, 0x7f, path);
    case 'int16':
      return integer(-0x8000, 0x7fff, path);
    case 'int32':
      return integer(-0x8000_0000, 0x7fff_ffff, path);
    case 'int64':
      return integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, path);
    case 'uuid':
      return (value) => {
        if (typeof value === 'string' && isUuid(value)) return value;
        throw wrongValue(path, 'a uuid', value);
      };
    case 'string':
      return string(shape.bytesMax, path);
    case 'bytes': {
      const { bytesMax } = shape;
      return (value) => {
        if (value instanceof Uint8Array && value.length <= bytesMax) return value;
        throw wrongValue(path, `at most ${bytesMax} bytes`, value);
      };
    }
  }
}

function integer(min: number, max: number, path: string): Check {
  return (value) => {
    if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value;
    throw wrongValue(path, `an integer from ${min} to ${max}`, value);
  };
}

function string(bytesMax: number, path: string): Check {
  return (value) => {
    if (typeof value === 'string') {
      // A UTF-16 unit takes at most three bytes: short texts need no count.
      const { length } = value;
      if (length * 3 <= bytesMax || (length <= bytesMax && utf8Bytes(value) <= bytesMax)) return value;
    }
    throw wrongValue(path, `a string of at most ${bytesMax} bytes`, value);
  };
}

export function arrayOf(value: unknown, lengthMax: number, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongValue(path, 'an array', value);
  if (value.length > lengthMax)
    throw new ProtocolError(`${path} has ${value.length} elements, above ${lengthMax}`);
  return value;
}

/** Appends the runs of a `records` field that are not empty to `runs`; returns their lengths. */
export function addRuns(value: unknown, runs: Uint8Array[], path: string): number[] {
  const lengths: number[] = [];
  for (const run of arrayOf(value, RECORD_RUNS_MAX, path)) {
    if (!(run instanceof Uint8Array)) throw wrongValue(path, 'runs of bytes', run);
    if (run.length === 0) continue;
    lengths.push(run.length);
    runs.push(run);
  }
  return lengths;
}

/** Takes a run of each of these lengths. */
export function takeRuns(lengths: unknown, source: PartsReader, path: string): Uint8Array[] {
  return arrayOf(lengths, RECORD_RUNS_MAX, path).map((length) => {
    if (Number.isInteger(length) && (length as number) >= 1) return source.take(length as number);
    throw wrongValue(path, 'lengths of runs', length);
  });
}

export function structOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw wrongValue(path, 'an object', value);
  return value as Record<string, unknown>;
}

const SHOWN_CHARS_MAX = 40;

export function wrongValue(path: string, expected: string, value: unknown): ProtocolError {
  return new ProtocolError(`${path} must be ${expected}, not ${describe(value)}`);
}

/** Short whatever a peer sent: it ends up in logs. */
function describe(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === 'object' && value !== null) return 'an object';
  if (typeof value !== 'string') return String(value);
  const shown = JSON.stringify(value.slice(0, SHOWN_CHARS_MAX));
  return value.length > SHOWN_CHARS_MAX ? `${shown}... (${value.length} characters)` : shown;
}
