/** The same encoding for what is stored rather than sent: one value, no header, no raw records. */

import { PartsReader } from './message-parts.ts';
import { packArrays, unpackArrays } from './msgpack.ts';
import { ProtocolError } from './protocol-error.ts';
import type { Schema } from './schema.ts';
import { compile } from './schema-compiler.ts';

const NO_PARTS: readonly Uint8Array[] = [];

/** Packs a value by its schema (which must not contain `records`). The result is a buffer of its own. */
export function encodeValue<T>(schema: Schema<T>, name: string, value: T): Uint8Array {
  const raw: Uint8Array[] = [];
  const bytes = packArrays(compile(schema, name).encode(value, raw));
  if (raw.length > 0) throw new ProtocolError(`${name} carries record batches, which only a message can`);
  return bytes;
}

/** Reads what `encodeValue` made, also by an older or newer release. Throws nothing but `ProtocolError`. */
export function decodeValue<T>(schema: Schema<T>, name: string, bytes: Uint8Array): T {
  return compile(schema, name).decode(unpackArrays(bytes), new PartsReader(NO_PARTS));
}
