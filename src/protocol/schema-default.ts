/** What a field is where a message lacks it, and whether a value is just that. */

import type { Schema } from './schema.ts';
import { ZERO_UUID } from './uuid.ts';

/** Makes the default; compound ones anew each time, since readers may change what they got. */
export function defaultOf({ shape, marks }: Schema<unknown>): () => unknown {
  const { default: declared } = marks;
  if (declared !== undefined) return () => declared;
  if (marks.nullable) return () => null;
  switch (shape.kind) {
    case 'bool':
      return () => false;
    case 'uuid':
      return () => ZERO_UUID;
    case 'string':
      return () => '';
    case 'bytes':
      return () => new Uint8Array(0);
    case 'records':
    case 'array':
      return () => [];
    case 'struct': {
      const fields = shape.fields.map(([name, field]) => [name, defaultOf(field)] as const);
      return () => {
        const value: Record<string, unknown> = {};
        for (const [name, make] of fields) value[name] = make();
        return value;
      };
    }
    default:
      return () => 0;
  }
}

/** Tells whether a value is the default. One that was left out is. */
export function isDefaultOf(schema: Schema<unknown>): (value: unknown) => boolean {
  const { shape, marks } = schema;
  if (marks.default === undefined && !marks.nullable) {
    switch (shape.kind) {
      case 'bytes':
      case 'records':
      case 'array':
        return (value) => value === undefined || (value as { readonly length: number }).length === 0;
      case 'struct': {
        const fields = shape.fields.map(([name, field]) => [name, isDefaultOf(field)] as const);
        return (value) =>
          value === undefined ||
          fields.every(([name, isDefault]) => isDefault((value as Record<string, unknown>)[name]));
      }
    }
  }
  const scalar = defaultOf(schema)();
  return (value) => value === undefined || value === scalar;
}
