/** From application values to bytes and back. A null key or value (a tombstone) never reaches a serde. */

import { writeUtf8 } from '../protocol/utf8.ts';

/** Makes bytes of a value. What it throws rejects the `send` with `SERIALIZATION_FAILED`. */
export interface Serializer<T> {
  serialize(value: T, topic: string): Uint8Array;
}

/** Makes a value of bytes. What it throws comes out of `poll` as `SERIALIZATION_FAILED`, again and again until a `seek`. */
export interface Deserializer<T> {
  deserialize(bytes: Uint8Array, topic: string): T;
}

/** Both directions. Anything of this shape will do: there is nothing to register. */
export interface Serde<T> extends Serializer<T>, Deserializer<T> {}

/**
 * What a serializer returned, if that is bytes. By its tag and not by `instanceof`: test runners that isolate files give each
 * its own classes.
 */
export function bytesOf(serialized: Uint8Array): Uint8Array {
  const tag = Object.prototype.toString.call(serialized);
  if (tag !== '[object Uint8Array]') throw new TypeError(`${tag} is not bytes (a Uint8Array)`);
  return serialized;
}

const encoder = new TextEncoder();

/** Short texts share buffers of this size: one allocation for each would cost more than the encoding. */
const SLAB_BYTES = 16_384;
const SHARED_BYTES_MAX = 1_024;
let slab = new Uint8Array(SLAB_BYTES);
let slabUsed = 0;

function encodeText(text: string): Uint8Array {
  // A UTF-16 unit takes at most three bytes.
  const bytesMax = text.length * 3;
  if (bytesMax > SHARED_BYTES_MAX) return encoder.encode(text);
  if (slabUsed + bytesMax > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabUsed = 0;
  }
  const start = slabUsed;
  slabUsed = writeUtf8(slab, start, text);
  return slab.subarray(start, slabUsed);
}

// `fatal`: bytes that are no text are an error, not replacement characters.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 text. */
export const string: Serde<string> = {
  serialize: encodeText,
  deserialize: (bytes) => decoder.decode(bytes),
};

/** The bytes as they are. What a consumer gets is a view of the fetched batch: copy it to keep it for long. */
export const bytes: Serde<Uint8Array> = {
  serialize: (value) => value,
  deserialize: (value) => value,
};

/** JSON; the type is the caller's promise, nothing checks it. */
export function json<T = unknown>(): Serde<T> {
  return {
    serialize(value) {
      const text = JSON.stringify(value);
      // JSON.stringify answers undefined for a function or undefined itself, against its declared type.
      if (typeof text !== 'string') throw new TypeError(`a ${typeof value} has no JSON form`);
      return encodeText(text);
    },
    deserialize: (value) => JSON.parse(decoder.decode(value)) as T,
  };
}

/** What a producer takes when it is given no serializer: text as UTF-8, bytes as they are. */
export type TextOrBytes = string | Uint8Array;

export const textOrBytes: Serializer<TextOrBytes> = {
  serialize: (value) => (typeof value === 'string' ? encodeText(value) : value),
};
