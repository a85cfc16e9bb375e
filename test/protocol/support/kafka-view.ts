import type { Schema } from '../../../src/protocol/schema.ts';
import { defaultOf } from '../../../src/protocol/schema-default.ts';
import { join } from './arbitrary.ts';

/** What is left of a value once it went through a version of Kafka's encoding: a plain model of the compiler. */
export function kafkaView({ shape, marks }: Schema<unknown>, version: number, value: unknown): unknown {
  const { nullable } = marks;
  const isEmpty = value === null || value === '' || (value as { length?: number }).length === 0;
  if (nullable && isEmpty && version < (nullable.since ?? 0)) {
    if (nullable.emptyBefore) return null;
    return shape.kind === 'string' ? '' : [];
  }
  if (value === null) return null;
  switch (shape.kind) {
    case 'records': {
      const bytes = join(value as Uint8Array[]);
      return bytes.length === 0 ? [] : [bytes];
    }
    case 'array':
      return (value as unknown[]).map((each) => kafkaView(shape.element, version, each));
    case 'struct': {
      const source = value as Record<string, unknown>;
      const entries = shape.fields.map(([name, field]) => {
        const { since, until } = field.marks;
        const isThere = since <= version && version <= until && source[name] !== undefined;
        return [name, isThere ? kafkaView(field, version, source[name]) : defaultOf(field)()];
      });
      return Object.fromEntries(entries);
    }
    default:
      return value;
  }
}
