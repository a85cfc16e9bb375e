/** From application values to bytes and back. A null key or value (a tombstone) never reaches a serde. */

export interface Serializer<T> {
  serialize(value: T, topic: string): Uint8Array;
}

export interface Deserializer<T> {
  deserialize(bytes: Uint8Array, topic: string): T;
}

/** Both directions. Anything of this shape will do: there is nothing to register. */
export interface Serde<T> extends Serializer<T>, Deserializer<T> {}

const encoder = new TextEncoder();
// `fatal`: bytes that are no text are an error, not replacement characters.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 text. */
export const string: Serde<string> = {
  serialize: (value) => encoder.encode(value),
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
      return encoder.encode(text);
    },
    deserialize: (value) => JSON.parse(decoder.decode(value)) as T,
  };
}

/** What a producer takes when it is given no serializer: text as UTF-8, bytes as they are. */
export const textOrBytes: Serializer<string | Uint8Array> = {
  serialize: (value) => (typeof value === 'string' ? encoder.encode(value) : value),
};
