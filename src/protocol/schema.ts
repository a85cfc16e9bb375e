/**
 * The schema language of the message catalogue. A message is declared once (in `messages/`), as data; its TypeScript
 * type is inferred from it, and both its encodings are compiled from it: msgpack for WebSockets (`codec.ts`) and
 * Kafka's own (`kafka-codec.ts`).
 *
 * Values: every integer is a JS number (offsets, epochs and timestamps stay within 2^53), a uuid is its 22-character
 * base64url string, `bytes` is a small Uint8Array inside the head, and `records` are raw record batches, as a list of
 * byte runs of whole batches: never wrapped, copied or decoded on the way.
 */

import { type Compiled, compile } from './schema-compiler.ts';

/** Carries the inferred type of a schema; it has no value at run time. */
declare const inferred: unique symbol;

export type Shape =
  | { readonly kind: 'bool' | 'int8' | 'int16' | 'int32' | 'int64' | 'uuid' }
  | { readonly kind: 'records' }
  | { readonly kind: 'string' | 'bytes'; readonly bytesMax: number }
  | { readonly kind: 'array'; readonly element: Schema<unknown>; readonly lengthMax: number }
  | {
      readonly kind: 'struct';
      readonly fields: readonly (readonly [name: string, field: Schema<unknown>])[];
    };

/** What is said of a value as a field. */
export interface Marks {
  /** The versions of the API, in Kafka's encoding, that have the field. */
  readonly since: number;
  readonly until: number;
  /** The first version of the catalogue with the field: in msgpack, older peers are not sent it. */
  readonly catalogue: number;
  /** Who lacks the field may go without what it says. */
  readonly ignorable: boolean;
  /** Where it is a tagged field (KIP-482). */
  readonly tag?: number;
  readonly nullable?: Nullability;
  /** What the field is where a message lacks it. Without this: 0, false, '', [], or null where it may be null. */
  readonly default?: number | string | boolean;
  /** The writer may leave the field out. */
  readonly optional: boolean;
}

interface Nullability {
  /** The first version with a null. Before it, null is written as the empty value. */
  readonly since?: number;
  /** Before that version, the empty value is read as null. */
  readonly emptyBefore?: boolean;
}

const PLAIN: Marks = {
  since: 0,
  until: Number.POSITIVE_INFINITY,
  catalogue: 0,
  ignorable: false,
  optional: false,
};

/** A shape with its marks. Each method returns a schema with one more mark. */
export class Schema<T, Optional extends boolean = boolean> {
  declare readonly [inferred]: { readonly type: T; readonly optional: Optional };
  readonly shape: Shape;
  readonly marks: Marks;

  constructor(shape: Shape, marks: Marks) {
    this.shape = shape;
    this.marks = marks;
  }

  /** The field came with this version. */
  since(version: number): Schema<T, Optional> {
    return this.#with({ since: version });
  }

  /** The field went after this version. */
  until(version: number): Schema<T, Optional> {
    return this.#with({ until: version });
  }

  /** A tagged field: it costs nothing where it has its default, and who does not know it skips it. */
  tagged(tag: number): Schema<T, Optional> {
    return this.#with({ tag });
  }

  /** A field of ours; it stands behind those of Kafka. */
  notInKafka(): Schema<T, Optional> {
    return this.#with({ until: -1 });
  }

  nullable(nullable: Nullability = {}): Schema<T | null, Optional> {
    return this.#with({ nullable });
  }

  /** What the field is where a message lacks it, where the natural default would be wrong. */
  default(value: T & (number | string | boolean)): Schema<T, Optional> {
    return this.#with({ default: value });
  }

  /**
   * The field came with this version of the catalogue. It stands last, and an older peer is not sent it: a value other
   * than the default is refused then, unless the field is `ignorable`, and whoever lacks it does well without.
   */
  sinceCatalogue(catalogue: number, { ignorable = false } = {}): Schema<T, Optional> {
    return this.#with({ catalogue, ignorable });
  }

  /** The writer may leave the field out, and it takes its default. A reader always has it: see `Complete`. */
  optional(): Schema<T, true> {
    return this.#with({ optional: true });
  }

  #with<U, O extends boolean>(marks: Partial<Marks>): Schema<U, O> {
    return new Schema(this.shape, { ...this.marks, ...marks });
  }
}

/** A schema as the functions below make it. */
type Required<T> = Schema<T, false>;

/** The TypeScript type that a schema describes, as a writer gives it. */
export type Infer<S> = S extends { readonly [inferred]: { readonly type: infer T } } ? T : never;

type Fields = Readonly<Record<string, Schema<unknown>>>;
type OptionalKeys<F extends Fields> = {
  [K in keyof F]: F[K] extends { readonly [inferred]: { readonly optional: true } } ? K : never;
}[keyof F];
type InferStruct<F extends Fields> = Flat<
  { -readonly [K in Exclude<keyof F, OptionalKeys<F>>]: Infer<F[K]> } & {
    -readonly [K in OptionalKeys<F>]?: Infer<F[K]>;
  }
>;
type Flat<T> = { [K in keyof T]: T[K] };

/** A message as a reader gets it: what the writer left out has its default. */
export type Complete<T> = T extends Uint8Array
  ? T
  : T extends object
    ? { [K in keyof T]-?: Complete<T[K]> }
    : T;

/** Kafka's own limit: the length of a string was two signed bytes. */
const STRING_BYTES_MAX = 0x7fff;
const BYTES_MAX = 8 * 1024 * 1024;
const ARRAY_LENGTH_MAX = 100_000;

const plain = <T>(shape: Shape): Required<T> => new Schema(shape, PLAIN);

export const bool = () => plain<boolean>({ kind: 'bool' });
export const int8 = () => plain<number>({ kind: 'int8' });
export const int16 = () => plain<number>({ kind: 'int16' });
export const int32 = () => plain<number>({ kind: 'int32' });
/** A safe integer. Beyond 2^53, msgpack refuses it, and what a Kafka client sends counts as the nearest safe one. */
export const int64 = () => plain<number>({ kind: 'int64' });
export const uuid = () => plain<string>({ kind: 'uuid' });
export const string = (bytesMax = STRING_BYTES_MAX) => plain<string>({ kind: 'string', bytesMax });
export const bytes = (bytesMax = BYTES_MAX) => plain<Uint8Array>({ kind: 'bytes', bytesMax });
export const records = () => plain<readonly Uint8Array[]>({ kind: 'records' });
export const array = <T>(element: Schema<T>, lengthMax = ARRAY_LENGTH_MAX) =>
  plain<T[]>({ kind: 'array', element, lengthMax });
/** Fields are positional in msgpack: once released, append new ones at the end, never remove or reorder. */
export const struct = <F extends Fields>(fields: F) =>
  plain<InferStruct<F>>({ kind: 'struct', fields: Object.entries(fields) });

/** A range of versions, both included. */
export type Versions = readonly [min: number, max: number];

/** How an API stands in Kafka's protocol. */
interface KafkaVersions {
  /** The versions that the declaration describes. */
  readonly versions: Versions;
  /** The first version in the compact encoding, with tagged fields (KIP-482). */
  readonly flexible: number;
  /** The versions whose requests are carried out: all of them, unless told. */
  readonly served: Versions;
  /** The versions that `ApiVersions` tells of: those that are served, unless told. */
  readonly advertised: Versions;
}

interface Declaration<Request, Response> {
  /** Kafka's; those that Kafka lacks start at 10,000. */
  readonly key: number;
  readonly name: string;
  /** The first version of the catalogue with this API; left out for those that were always there. */
  readonly since?: number;
  /** The versions in msgpack. */
  readonly minVersion: number;
  readonly maxVersion: number;
  /** Absent: only WebSockets carry it. */
  readonly kafka?: Pick<KafkaVersions, 'versions' | 'flexible'> & Partial<KafkaVersions>;
  readonly request: Schema<Request>;
  readonly response: Schema<Response>;
}

/** One API: what was declared, and its msgpack encoding, compiled. */
export interface Api<Request, Response> extends Declaration<Request, Response> {
  readonly since: number;
  readonly kafka?: KafkaVersions;
  readonly msgpack: { readonly request: Compiled<Request>; readonly response: Compiled<Response> };
}

/** An API whose message types do not matter to the holder. */
export type AnyApi = Api<unknown, unknown>;

export function api<Request, Response>(declaration: Declaration<Request, Response>): Api<Request, Response> {
  const { name, request, response, kafka, since = 0, ...rest } = declaration;
  const msgpack = {
    request: compile(request, `${name} request`),
    response: compile(response, `${name} response`),
  };
  const declared = { ...rest, name, since, request, response, msgpack };
  if (!kafka) return declared;
  const served = kafka.served ?? kafka.versions;
  return { ...declared, kafka: { ...kafka, served, advertised: kafka.advertised ?? served } };
}

export type RequestOf<A> = A extends Api<infer Request, infer _Response> ? Request : never;
export type ResponseOf<A> = A extends Api<infer _Request, infer Response> ? Response : never;
