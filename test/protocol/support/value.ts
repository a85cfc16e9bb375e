import { CATALOGUE_VERSION } from '../../../src/protocol/catalogue-version.ts';
import { PartsReader } from '../../../src/protocol/message-parts.ts';
import { packArrays } from '../../../src/protocol/msgpack.ts';
import { readMsgpack } from '../../../src/protocol/msgpack-reader.ts';
import type { Schema } from '../../../src/protocol/schema.ts';
import { compile } from '../../../src/protocol/schema-compiler.ts';

/** Packs one value by its schema, without a message around it. */
export function encodeValue<T>(schema: Schema<T>, name: string, value: T): Uint8Array {
  return packArrays(compile(schema, name).encode(value, [], CATALOGUE_VERSION));
}

export function decodeValue<T>(schema: Schema<T>, name: string, bytes: Uint8Array): T {
  return compile(schema, name).decode(readMsgpack(bytes), new PartsReader([]));
}
