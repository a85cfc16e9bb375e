/**
 * Compiles a schema, once, into closures that turn a message into positional arrays and back. Both ways check every
 * value against the schema: type, range, length. No code is generated, so a page's content security policy never
 * stands in the way.
 *
 * Evolution: a struct is an array of its fields. Elements beyond the known fields are skipped, missing ones at the end
 * take their defaults. Whoever reads an older version of the catalogue is sent the fields of that version. `records`
 * fields cannot be appended to an existing message, since an older reader would not know that their bytes follow.
 */

import { KafkaError } from './errors.ts';
import type { PartsReader } from './message-parts.ts';
import type { Schema, Shape } from './schema.ts';
import { defaultOf, isDefaultOf } from './schema-default.ts';
import { addRuns, arrayOf, scalarCheck, structOf, takeRuns, wrongValue } from './schema-value.ts';

export interface Compiled<T> {
  /**
   * As a reader of this version of the catalogue expects it. Appends raw record bytes to `raw`.
   * @throws KafkaError UNSUPPORTED_VERSION where that version cannot say what the value says
   */
  encode(value: T, raw: Uint8Array[], version: number): unknown;
  /** Takes raw record bytes from `raw`. */
  decode(wire: unknown, raw: PartsReader): T;
}

interface Code {
  readonly encode: (value: unknown, raw: Uint8Array[], version: number) => unknown;
  readonly decode: (wire: unknown, raw: PartsReader) => unknown;
}

/** The codec of a schema. `name` is how errors call the value. */
export function compile<T>(schema: Schema<T>, name: string): Compiled<T> {
  return compileField(schema, name) as Compiled<T>;
}

function compileField(field: Schema<unknown>, path: string): Code {
  const shape = compileShape(field.shape, path);
  const code = field.marks.nullable ? nullable(shape) : shape;
  return field.marks.optional ? optional(code, defaultOf(field)) : code;
}

function compileShape(shape: Shape, path: string): Code {
  switch (shape.kind) {
    case 'records':
      return records(path);
    case 'array':
      return array(compileField(shape.element, `${path}[]`), shape.lengthMax, path);
    case 'struct':
      return struct(shape.fields, path);
    default: {
      // The same here and on the wire.
      const check = scalarCheck(shape, path);
      return { encode: check, decode: check };
    }
  }
}

/** In the head stands the length of each run; the runs themselves travel behind the head. */
function records(path: string): Code {
  return {
    encode: (value, raw) => addRuns(value, raw, path),
    decode: (wire, raw) => takeRuns(wire, raw, path),
  };
}

function array(element: Code, lengthMax: number, path: string): Code {
  return {
    encode: (value, raw, version) =>
      arrayOf(value, lengthMax, path).map((each) => element.encode(each, raw, version)),
    decode: (wire, raw) => arrayOf(wire, lengthMax, path).map((each) => element.decode(each, raw)),
  };
}

function nullable(inner: Code): Code {
  return {
    encode: (value, raw, version) => (value === null ? null : inner.encode(value, raw, version)),
    decode: (wire, raw) => (wire === null ? null : inner.decode(wire, raw)),
  };
}

/** A field that was left out is a nil, whatever its default is. */
function optional(inner: Code, makeDefault: () => unknown): Code {
  return {
    encode: (value, raw, version) => (value === undefined ? null : inner.encode(value, raw, version)),
    decode: (wire, raw) => (wire === null ? makeDefault() : inner.decode(wire, raw)),
  };
}

function struct(declared: readonly (readonly [string, Schema<unknown>])[], path: string): Code {
  const names = declared.map(([name]) => name);
  const codes = declared.map(([name, field]) => compileField(field, `${path}.${name}`));
  const defaults = declared.map(([, field]) => defaultOf(field));
  const newest = declared.at(-1)?.[1].marks.catalogue ?? 0;
  return {
    encode(value, raw, version) {
      const source = structOf(value, path);
      const count = version >= newest ? codes.length : fieldsOf(version, declared, source, path);
      const wire: unknown[] = new Array(count);
      for (let i = 0; i < count; i++) {
        wire[i] = (codes[i] as Code).encode(source[names[i] as string], raw, version);
      }
      return wire;
    },
    decode(wire, raw) {
      if (!Array.isArray(wire)) throw wrongValue(path, 'an array of fields', wire);
      // Filling a copy of a blank struct would be faster where few kinds of structs are decoded, and is slower with all.
      const value: Record<string, unknown> = {};
      for (let i = 0; i < codes.length; i++) {
        value[names[i] as string] =
          i < wire.length ? (codes[i] as Code).decode(wire[i], raw) : (defaults[i] as () => unknown)();
      }
      return value;
    },
  };
}

/** How many fields an older version has: newer ones stand last. What it cannot say must not get lost unnoticed. */
function fieldsOf(
  version: number,
  declared: readonly (readonly [string, Schema<unknown>])[],
  source: Readonly<Record<string, unknown>>,
  path: string,
): number {
  const count = declared.findIndex(([, { marks }]) => marks.catalogue > version);
  for (const [name, field] of declared.slice(count)) {
    const { catalogue, ignorable } = field.marks;
    if (ignorable || isDefaultOf(field)(source[name])) continue;
    const message = `catalogue version ${version} has no ${path}.${name}; it takes version ${catalogue}`;
    throw new KafkaError('UNSUPPORTED_VERSION', message);
  }
  return count;
}
