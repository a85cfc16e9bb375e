import fc from 'fast-check';
import type { Schema } from '../../../src/protocol/schema.ts';
import { uuidFromBytes } from '../../../src/protocol/uuid.ts';

const ELEMENTS_MAX = 3;

function integer(bits: number): fc.Arbitrary<number> {
  return fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 });
}

const uuid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(uuidFromBytes);

/** Any value that a schema allows, whole: what may be left out is there. */
export function anyValue(schema: Schema<unknown>): fc.Arbitrary<unknown> {
  return anyField(schema, false);
}

/** Any value that a writer may give: fields that may be left out are there or not. */
export function anyDraft(schema: Schema<unknown>): fc.Arbitrary<unknown> {
  return anyField(schema, true);
}

function anyField(schema: Schema<unknown>, isDraft: boolean): fc.Arbitrary<unknown> {
  const present = anyPresent(schema, isDraft);
  return schema.marks.nullable ? fc.option(present) : present;
}

function anyPresent({ shape }: Schema<unknown>, isDraft: boolean): fc.Arbitrary<unknown> {
  switch (shape.kind) {
    case 'bool':
      return fc.boolean();
    case 'int8':
      return integer(8);
    case 'int16':
      return integer(16);
    case 'int32':
      return integer(32);
    case 'int64':
      return fc.maxSafeInteger();
    case 'uuid':
      return uuid;
    case 'string':
      return fc.string({ unit: 'grapheme', maxLength: Math.min(80, Math.floor(shape.bytesMax / 64)) });
    case 'bytes':
      return fc.uint8Array({ maxLength: Math.min(40, shape.bytesMax) });
    case 'records':
      return fc.array(fc.uint8Array({ minLength: 1, maxLength: 20 }), { maxLength: ELEMENTS_MAX });
    case 'array':
      return fc.array(anyField(shape.element, isDraft), {
        maxLength: Math.min(ELEMENTS_MAX, shape.lengthMax),
      });
    case 'struct': {
      const fields: Record<string, fc.Arbitrary<unknown>> = Object.fromEntries(
        shape.fields.map(([name, field]) => [name, anyField(field, isDraft)]),
      );
      const required = shape.fields.filter(([, { marks }]) => !isDraft || !marks.optional);
      return fc.record(fields, {
        noNullPrototype: true,
        requiredKeys: required.map(([name]) => name),
      });
    }
  }
}

export function join(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    joined.set(part, position);
    position += part.length;
  }
  return joined;
}
