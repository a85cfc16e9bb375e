/**
 * Compiles a schema, once for each version, into closures that write and read Kafka's binary encoding. Which fields a
 * version has, and which of them may be null, is settled here; what remains for each message is a walk over closures.
 *
 * Two dialects: up to some version of an API, lengths are two or four bytes and -1 is null. The flexible versions since
 * (KIP-482) write a length as a varint of one more, so that 0 is null, and end each struct with its tagged fields.
 */

import type { KafkaReader } from './kafka-reader.ts';
import { KafkaWriter } from './kafka-writer.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Marks, Schema, Shape } from './schema.ts';
import { defaultOf, isDefaultOf } from './schema-default.ts';
import { addRuns, arrayOf, scalarCheck, structOf } from './schema-value.ts';

export interface KafkaCode {
  readonly write: (writer: KafkaWriter, value: unknown) => void;
  readonly read: (reader: KafkaReader) => unknown;
  /** No value takes fewer bytes: what a count from the wire is checked against. */
  readonly bytesMin: number;
}

interface Dialect {
  readonly version: number;
  readonly flexible: boolean;
}

/** How a length is written in front of strings (2 bytes), arrays and bytes (4), or in either compact form. -1 is null. */
interface LengthCode {
  readonly write: (writer: KafkaWriter, length: number) => void;
  readonly read: (reader: KafkaReader) => number;
  readonly bytesMin: number;
}

const INT16_LENGTH: LengthCode = {
  write: (writer, length) => writer.int16(length),
  read: (reader) => reader.int16(),
  bytesMin: 2,
};
const INT32_LENGTH: LengthCode = {
  write: (writer, length) => writer.int32(length),
  read: (reader) => reader.int32(),
  bytesMin: 4,
};
const COMPACT_LENGTH: LengthCode = {
  write: (writer, length) => writer.unsignedVarint(length + 1),
  read: (reader) => reader.unsignedVarint() - 1,
  bytesMin: 1,
};

/** `path` is how errors call the value. */
export function compileKafka(schema: Schema<unknown>, path: string, dialect: Dialect): KafkaCode {
  return compileField(schema, path, dialect);
}

function compileField(field: Schema<unknown>, path: string, dialect: Dialect): KafkaCode {
  const code = compileShape(field, path, dialect);
  if (!field.marks.optional) return code;
  const missing = defaultOf(field)();
  return {
    ...code,
    write: (writer, value) => code.write(writer, value === undefined ? missing : value),
  };
}

function compileShape({ shape, marks }: Schema<unknown>, path: string, dialect: Dialect): KafkaCode {
  switch (shape.kind) {
    case 'string':
    case 'bytes':
    case 'records':
    case 'array':
      return sized(shape, marks, path, dialect);
    case 'struct':
      return struct(shape.fields, path, dialect);
    default: {
      const { write, read, bytesMin } = FIXED[shape.kind];
      const check = scalarCheck(shape, path);
      return { write: (writer, value) => write(writer, check(value)), read, bytesMin };
    }
  }
}

type Fixed = 'bool' | 'int8' | 'int16' | 'int32' | 'int64' | 'uuid';

/** Values that were checked already. */
const FIXED: Readonly<Record<Fixed, KafkaCode>> = {
  bool: { write: (w, value) => w.int8(value ? 1 : 0), read: (r) => r.int8() !== 0, bytesMin: 1 },
  int8: { write: (w, value) => w.int8(value as number), read: (r) => r.int8(), bytesMin: 1 },
  int16: { write: (w, value) => w.int16(value as number), read: (r) => r.int16(), bytesMin: 2 },
  int32: { write: (w, value) => w.int32(value as number), read: (r) => r.int32(), bytesMin: 4 },
  int64: { write: (w, value) => w.int64(value as number), read: (r) => r.int64(), bytesMin: 8 },
  uuid: { write: (w, value) => w.uuid(value as string), read: (r) => r.uuid(), bytesMin: 16 },
};

type Sized = Extract<Shape, { readonly kind: 'string' | 'bytes' | 'records' | 'array' }>;

/** A value behind its length: where it may be null, and what stands for null where it may not. */
function sized(shape: Sized, { nullable }: Marks, path: string, dialect: Dialect): KafkaCode {
  const legacy = shape.kind === 'string' ? INT16_LENGTH : INT32_LENGTH;
  const length = dialect.flexible ? COMPACT_LENGTH : legacy;
  const content = contentOf(shape, path, dialect, length);
  const isNullable = nullable !== undefined && dialect.version >= (nullable.since ?? 0);
  const emptyIsNull = nullable?.emptyBefore === true && !isNullable;
  return {
    bytesMin: length.bytesMin,
    write(writer, value) {
      if (value === null && isNullable) length.write(writer, -1);
      else if (value === null && nullable) length.write(writer, 0);
      else content.write(writer, value);
    },
    read(reader) {
      const count = length.read(reader);
      if (count === 0 && emptyIsNull) return null;
      if (count >= 0) return content.read(reader, count);
      if (count === -1 && isNullable) return null;
      // Java's clients may send null for no records.
      if (count === -1 && shape.kind === 'records') return [];
      throw new ProtocolError(`${path} has the length ${count}`);
    },
  };
}

interface Content {
  /** Writes the length too. */
  readonly write: (writer: KafkaWriter, value: unknown) => void;
  readonly read: (reader: KafkaReader, length: number) => unknown;
}

function contentOf(shape: Sized, path: string, dialect: Dialect, length: LengthCode): Content {
  switch (shape.kind) {
    case 'string':
      return string(shape, path, length);
    case 'bytes': {
      const check = scalarCheck(shape, path);
      return {
        write(writer, value) {
          const bytes = check(value) as Uint8Array;
          length.write(writer, bytes.length);
          writer.bytes(bytes);
        },
        read: (reader, count) => check(reader.take(count)),
      };
    }
    case 'records':
      return records(path, length);
    case 'array':
      return array(compileField(shape.element, `${path}[]`, dialect), shape.lengthMax, path, length);
  }
}

function string(
  shape: Extract<Shape, { readonly bytesMax: number }>,
  path: string,
  length: LengthCode,
): Content {
  const check = scalarCheck(shape, path);
  return {
    write: (writer, value) => writer.utf8(check(value) as string, (count) => length.write(writer, count)),
    read(reader, count) {
      if (count > shape.bytesMax)
        throw new ProtocolError(`${path} has ${count} bytes, above ${shape.bytesMax}`);
      return reader.utf8(count);
    },
  };
}

/** All runs as one: the bytes of whole batches, one behind the other. */
function records(path: string, length: LengthCode): Content {
  return {
    write(writer, value) {
      const runs: Uint8Array[] = [];
      const lengths = addRuns(value, runs, path);
      length.write(
        writer,
        lengths.reduce((sum, each) => sum + each, 0),
      );
      for (const run of runs) writer.part(run);
    },
    read: (reader, count) => (count === 0 ? [] : [reader.take(count)]),
  };
}

function array(element: KafkaCode, lengthMax: number, path: string, length: LengthCode): Content {
  const elementBytesMin = Math.max(1, element.bytesMin);
  return {
    write(writer, value) {
      const elements = arrayOf(value, lengthMax, path);
      length.write(writer, elements.length);
      for (const each of elements) element.write(writer, each);
    },
    read(reader, count) {
      if (count > lengthMax || count * elementBytesMin > reader.remaining)
        throw new ProtocolError(`${path} has ${count} elements where ${reader.remaining} bytes remain`);
      const elements: unknown[] = [];
      for (let i = 0; i < count; i++) elements.push(element.read(reader));
      return elements;
    },
  };
}

interface Field {
  readonly name: string;
  readonly tag: number | undefined;
  readonly code: KafkaCode;
  readonly isDefault: (value: unknown) => boolean;
}

function struct(
  declared: readonly (readonly [string, Schema<unknown>])[],
  path: string,
  dialect: Dialect,
): KafkaCode {
  const present = declared.flatMap(([name, field]): Field[] => {
    const { since, until, tag } = field.marks;
    if (dialect.version < since || dialect.version > until) return [];
    const code = compileField(field, `${path}.${name}`, dialect);
    return [{ name, tag, code, isDefault: isDefaultOf(field) }];
  });
  const plain = present.filter(({ tag }) => tag === undefined);
  const tagged = dialect.flexible ? taggedFields(present) : NO_TAGGED_FIELDS;
  // Every field of the schema, in its order, so that all values of a struct have one shape for the JavaScript engine.
  const readers = declared.map(([name, field]) => {
    const read = plain.find((each) => each.name === name)?.code.read ?? defaultOf(field);
    return [name, read] as const;
  });
  return {
    bytesMin: plain.reduce((sum, { code }) => sum + code.bytesMin, dialect.flexible ? 1 : 0),
    write(writer, value) {
      const source = structOf(value, path);
      for (const { name, code } of plain) code.write(writer, source[name]);
      tagged.write(writer, source);
    },
    read(reader) {
      const value: Record<string, unknown> = {};
      for (const [name, read] of readers) value[name] = read(reader);
      tagged.read(reader, value);
      return value;
    },
  };
}

interface TaggedFields {
  readonly write: (writer: KafkaWriter, source: Readonly<Record<string, unknown>>) => void;
  readonly read: (reader: KafkaReader, value: Record<string, unknown>) => void;
}

const NO_TAGGED_FIELDS: TaggedFields = { write: () => {}, read: () => {} };

/** Those that differ from their defaults, by tag; whatever tag this version does not know is skipped. */
function taggedFields(present: readonly Field[]): TaggedFields {
  const byTag = new Map<number, Field>();
  for (const field of present) if (field.tag !== undefined) byTag.set(field.tag, field);
  const ascending = [...byTag].sort(([left], [right]) => left - right);
  return {
    write(writer, source) {
      const told = ascending.filter(([, { name, isDefault }]) => !isDefault(source[name]));
      writer.unsignedVarint(told.length);
      for (const [tag, { name, code }] of told) {
        const inner = new KafkaWriter();
        code.write(inner, source[name]);
        const parts = inner.parts();
        writer.unsignedVarint(tag);
        writer.unsignedVarint(parts.reduce((sum, part) => sum + part.length, 0));
        for (const part of parts) writer.bytes(part);
      }
    },
    read(reader, value) {
      for (let count = reader.unsignedVarint(); count > 0; count--) {
        const field = byTag.get(reader.unsignedVarint());
        const length = reader.unsignedVarint();
        if (field) value[field.name] = reader.within(length, field.code.read);
        else reader.take(length);
      }
    },
  };
}

/** The tagged fields of a header, none of which mean anything to us. */
export const NO_KNOWN_TAGS: TaggedFields = taggedFields([]);
