import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import type { Schema } from '../../../src/protocol/schema.ts';
import { defaultOf } from '../../../src/protocol/schema-default.ts';
import { kafkaView } from './kafka-view.ts';

/** A message as kafka-clients encodes it, without the size in front, and what it says. */
export interface GoldenMessage {
  readonly message: string;
  readonly version: number;
  /** Base64. */
  readonly frame: string;
  readonly value: unknown;
  /** It has tagged fields that nobody knows, or null records: what is read, but not written. */
  readonly readOnly?: boolean;
}

interface Golden {
  readonly clientId: string;
  readonly correlationId: number;
  readonly apis: readonly {
    readonly api: string;
    readonly key: number;
    readonly min: number;
    readonly max: number;
    readonly flexible: number;
  }[];
  readonly messages: readonly GoldenMessage[];
}

export function readGolden(): Golden {
  return JSON.parse(readFileSync(new URL('../golden/kafka-messages.json', import.meta.url), 'utf8'));
}

export function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'base64'));
}

/** The value that we must read, of what Kafka's JSON says: no field that we do not know, and defaults for the others. */
export function goldenValue(schema: Schema<unknown>, version: number, json: unknown): unknown {
  return kafkaView(schema, version, fromJson(schema, json));
}

function fromJson({ shape, marks }: Schema<unknown>, json: unknown): unknown {
  if (json === null) return shape.kind === 'records' && !marks.nullable ? [] : null;
  switch (shape.kind) {
    case 'bytes':
      return fromBase64(json as string);
    case 'records':
      return [fromBase64(json as string)];
    case 'array':
      return (json as unknown[]).map((each) => fromJson(shape.element, each));
    case 'struct': {
      const source = json as Record<string, unknown>;
      const names = shape.fields.map(([name]) => name);
      expect(names).toEqual(expect.arrayContaining(Object.keys(source)));
      const entries = shape.fields.map(([name, field]) => [
        name,
        name in source ? fromJson(field, source[name]) : defaultOf(field)(),
      ]);
      return Object.fromEntries(entries);
    }
    default:
      return json;
  }
}
