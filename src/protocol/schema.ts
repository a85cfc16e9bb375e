/**
 * The schema language of the message catalogue. A message is declared once (in `messages/`), as data; its TypeScript
 * type is inferred from it and its encodings are compiled from it (`codec.ts`).
 *
 * Values: every integer is a JS number (offsets, epochs and timestamps stay within 2^53), a uuid is its 22-character
 * base64url string, `bytes` is a small Uint8Array inside the head, and `records` are raw record batches that travel
 * behind the head, as a list of byte runs of whole batches: never wrapped, copied or decoded on the way.
 */

/** Carries the inferred type of a schema; it has no value at run time. */
declare const inferred: unique symbol;

export type Shape =
  | { readonly kind: 'bool' | 'int8' | 'int16' | 'int32' | 'int64' | 'uuid' | 'records' }
  | { readonly kind: 'string' | 'bytes'; readonly bytesMax: number }
  | { readonly kind: 'array'; readonly element: Shape; readonly lengthMax: number }
  | { readonly kind: 'struct'; readonly fields: readonly (readonly [name: string, shape: Shape])[] }
  | { readonly kind: 'nullable'; readonly inner: Shape }
  | { readonly kind: 'default'; readonly inner: Shape; readonly value: unknown };

export type Schema<T> = Shape & { readonly [inferred]?: T };

/** The TypeScript type that a schema describes. */
export type Infer<S> = S extends { readonly [inferred]?: infer T } ? Exclude<T, undefined> : never;

type Fields = Readonly<Record<string, Shape>>;
type InferStruct<F extends Fields> = { -readonly [K in keyof F]: Infer<F[K]> };

const STRING_BYTES_MAX = 32 * 1024;
const BYTES_MAX = 8 * 1024 * 1024;
const ARRAY_LENGTH_MAX = 100_000;

export const bool = (): Schema<boolean> => ({ kind: 'bool' });
export const int8 = (): Schema<number> => ({ kind: 'int8' });
export const int16 = (): Schema<number> => ({ kind: 'int16' });
export const int32 = (): Schema<number> => ({ kind: 'int32' });
/** A safe integer; a value beyond 2^53 is refused. */
export const int64 = (): Schema<number> => ({ kind: 'int64' });
export const uuid = (): Schema<string> => ({ kind: 'uuid' });
export const string = (bytesMax = STRING_BYTES_MAX): Schema<string> => ({ kind: 'string', bytesMax });
export const bytes = (bytesMax = BYTES_MAX): Schema<Uint8Array> => ({ kind: 'bytes', bytesMax });
export const records = (): Schema<readonly Uint8Array[]> => ({ kind: 'records' });
export const nullable = <T>(inner: Schema<T>): Schema<T | null> => ({ kind: 'nullable', inner });
/** What a missing trailing field decodes to, where the natural one (0, false, '', [], null) would be wrong. */
export const withDefault = <T>(inner: Schema<T>, value: T): Schema<T> => ({ kind: 'default', inner, value });
export const array = <T>(element: Schema<T>, lengthMax = ARRAY_LENGTH_MAX): Schema<T[]> => ({
  kind: 'array',
  element,
  lengthMax,
});
/** Fields are positional on the wire: append new ones at the end, never remove or reorder. */
export const struct = <F extends Fields>(fields: F): Schema<InferStruct<F>> => ({
  kind: 'struct',
  fields: Object.entries(fields),
});

/** One API: its Kafka key (ours, which Kafka lacks, start at 10,000), name, served versions and two messages. */
export interface Api<Request, Response> {
  readonly key: number;
  readonly name: string;
  readonly minVersion: number;
  readonly maxVersion: number;
  readonly request: Schema<Request>;
  readonly response: Schema<Response>;
}

/** An API whose message types do not matter to the holder. */
export type AnyApi = Api<unknown, unknown>;

export const api = <Request, Response>(declaration: Api<Request, Response>): Api<Request, Response> =>
  declaration;

export type RequestOf<A> = A extends Api<infer Request, infer _Response> ? Request : never;
export type ResponseOf<A> = A extends Api<infer _Request, infer Response> ? Response : never;
