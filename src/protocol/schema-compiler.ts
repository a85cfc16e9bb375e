/**
 * Compiles a schema, once, into closures that turn a message into positional arrays and back. Both ways check every
 * value against the schema: type, range, length. No code is generated, so a page's content security policy never
 * stands in the way.
 *
 * Evolution: a struct is an array of its fields. Elements beyond the known fields are skipped, missing ones at the end
 * take their defaults. `records` fields cannot be appended to an existing message, since an older reader would not
 * know that their bytes follow.
 */

import type { PartsReader } from './message-parts.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Schema } from './schema.ts';
import { utf8Bytes } from './utf8.ts';
import { isUuid, ZERO_UUID } from './uuid.ts';

/** The runs of record batches in one `records` field. */
const RECORD_RUNS_MAX = 100_000;

export interface Compiled<T> {
  /** Appends raw record bytes to `raw`. */
  encode(value: T, raw: Uint8Array[]): unknown;
  /** Takes raw record bytes from `raw`. */
  decode(wire: unknown, raw: PartsReader): T;
  /** What a missing trailing field is. */
  missing(): T;
}

type Encode = (value: unknown, raw: Uint8Array[]) => unknown;
type Decode = (wire: unknown, raw: PartsReader) => unknown;

interface Code {
  readonly encode: Encode;
  readonly decode: Decode;
  readonly missing: () => unknown;
}

/** The codec of a schema. `name` is how errors call the value. */
export function compile<T>(schema: Schema<T>, name: string): Compiled<T> {
  return compileField(schema, name) as Compiled<T>;
}

function compileField(field: Schema<unknown>, path: string): Code {
  const { nullable: isNullable, default: value, optional: isOptional } = field.marks;
  let code = compileShape(field, path);
  if (isNullable) code = nullable(code);
  if (value !== undefined) code = { ...code, missing: () => value };
  return isOptional ? optional(code) : code;
}

function compileShape({ shape }: Schema<unknown>, path: string): Code {
  switch (shape.kind) {
    case 'bool':
      return checked((value) => typeof value === 'boolean', false, path, 'a boolean');
    case 'int8':
      return integer(-0x80, 0x7f, path);
    case 'int16':
      return integer(-0x8000, 0x7fff, path);
    case 'int32':
      return integer(-0x8000_0000, 0x7fff_ffff, path);
    case 'int64':
      return integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, path);
    case 'uuid':
      return checked((value) => typeof value === 'string' && isUuid(value), ZERO_UUID, path, 'a uuid');
    case 'string':
      return string(shape.bytesMax, path);
    case 'bytes':
      return bytes(shape.bytesMax, path);
    case 'records':
      return records(path);
    case 'array':
      return array(compileField(shape.element, `${path}[]`), shape.lengthMax, path);
    case 'struct':
      return struct(shape.fields, path);
  }
}

/** A value that is the same here and on the wire. */
function checked(
  isValid: (value: unknown) => boolean,
  missing: unknown,
  path: string,
  expected: string,
): Code {
  const check = (value: unknown): unknown => {
    if (!isValid(value)) throw wrongValue(path, expected, value);
    return value;
  };
  return { encode: check, decode: check, missing: () => missing };
}

function integer(min: number, max: number, path: string): Code {
  const isValid = (value: unknown): boolean =>
    Number.isInteger(value) && (value as number) >= min && (value as number) <= max;
  return checked(isValid, 0, path, `an integer from ${min} to ${max}`);
}

function string(bytesMax: number, path: string): Code {
  const isValid = (value: unknown): boolean => {
    if (typeof value !== 'string') return false;
    // A UTF-16 unit takes at most three bytes: short texts need no count.
    return value.length * 3 <= bytesMax || (value.length <= bytesMax && utf8Bytes(value) <= bytesMax);
  };
  return checked(isValid, '', path, `a string of at most ${bytesMax} bytes`);
}

function bytes(bytesMax: number, path: string): Code {
  const isValid = (value: unknown): boolean => value instanceof Uint8Array && value.length <= bytesMax;
  return {
    ...checked(isValid, undefined, path, `at most ${bytesMax} bytes`),
    missing: () => new Uint8Array(0),
  };
}

/** In the head stands the length of each run; the runs themselves travel behind the head. */
function records(path: string): Code {
  return {
    encode(value, raw) {
      const runs = arrayOf(value, RECORD_RUNS_MAX, path);
      const lengths: number[] = [];
      for (const run of runs) {
        if (!(run instanceof Uint8Array)) throw wrongValue(path, 'runs of bytes', run);
        if (run.length === 0) continue;
        lengths.push(run.length);
        raw.push(run);
      }
      return lengths;
    },
    decode(wire, raw) {
      const runs: Uint8Array[] = [];
      for (const length of arrayOf(wire, RECORD_RUNS_MAX, path)) {
        if (!Number.isInteger(length) || (length as number) < 1)
          throw wrongValue(path, 'lengths of runs', length);
        runs.push(raw.take(length as number));
      }
      return runs;
    },
    missing: () => [],
  };
}

function array(element: Code, lengthMax: number, path: string): Code {
  return {
    encode: (value, raw) => arrayOf(value, lengthMax, path).map((each) => element.encode(each, raw)),
    decode: (wire, raw) => arrayOf(wire, lengthMax, path).map((each) => element.decode(each, raw)),
    missing: () => [],
  };
}

function arrayOf(value: unknown, lengthMax: number, path: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrongValue(path, 'an array', value);
  if (value.length > lengthMax)
    throw new ProtocolError(`${path} has ${value.length} elements, above ${lengthMax}`);
  return value;
}

function nullable(inner: Code): Code {
  return {
    encode: (value, raw) => (value === null ? null : inner.encode(value, raw)),
    decode: (wire, raw) => (wire === null ? null : inner.decode(wire, raw)),
    missing: () => null,
  };
}

/** The default of a field that was left out is packed once. */
function optional(inner: Code): Code {
  const missing = inner.encode(inner.missing(), []);
  return { ...inner, encode: (value, raw) => (value === undefined ? missing : inner.encode(value, raw)) };
}

function struct(declared: readonly (readonly [string, Schema<unknown>])[], path: string): Code {
  const names = declared.map(([name]) => name);
  const codes = declared.map(([name, field]) => compileField(field, `${path}.${name}`));
  return {
    encode(value, raw) {
      if (typeof value !== 'object' || value === null) throw wrongValue(path, 'an object', value);
      const source = value as Record<string, unknown>;
      const wire: unknown[] = new Array(codes.length);
      for (let i = 0; i < codes.length; i++) {
        wire[i] = (codes[i] as Code).encode(source[names[i] as string], raw);
      }
      return wire;
    },
    decode(wire, raw) {
      if (!Array.isArray(wire)) throw wrongValue(path, 'an array of fields', wire);
      const value: Record<string, unknown> = {};
      for (let i = 0; i < codes.length; i++) {
        const code = codes[i] as Code;
        value[names[i] as string] = i < wire.length ? code.decode(wire[i], raw) : code.missing();
      }
      return value;
    },
    missing() {
      const value: Record<string, unknown> = {};
      for (let i = 0; i < codes.length; i++) value[names[i] as string] = (codes[i] as Code).missing();
      return value;
    },
  };
}

const SHOWN_CHARS_MAX = 40;

function wrongValue(path: string, expected: string, value: unknown): ProtocolError {
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
