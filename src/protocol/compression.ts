/**
 * The registry of compression codecs, by Kafka's ids. A broker needs one only to find a timestamp inside a batch;
 * batches pass through it as they are.
 * Codecs are loaded on demand, since not every program needs each, and used synchronously from then on:
 * `codecs/node.ts` loads native ones, `codecs/javascript.ts` those that run anywhere.
 */

import { KafkaError } from './errors.ts';

export const COMPRESSION = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
export type CompressionName = keyof typeof COMPRESSION;
export type CompressionId = (typeof COMPRESSION)[CompressionName];

export interface Codec {
  /** `level`: where the codec has levels (gzip 1 to 9, zstd 1 to 22), how hard it tries; its own default without one. */
  compress(bytes: Uint8Array, level?: number): Uint8Array;
  /** Stops with an error as soon as the output grows beyond `bytesMax`: a small batch may be a bomb. */
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array;
}

/** Makes the codec of one id (never that of `none`). */
export type CodecLoader = (id: CompressionId) => Promise<Codec>;

const codecs = new Map<number, Codec>();
const loading = new Map<number, Promise<void>>();
let loader: CodecLoader | undefined;

export function setCodec(id: CompressionId, codec: Codec): void {
  codecs.set(id, codec);
}

/** Says where codecs come from on this platform. The first word counts: all clients of a process share them. */
export function setCodecLoader(load: CodecLoader): void {
  loader ??= load;
}

/** Whether batches of this compression can be read and written right now. */
export function hasCodec(id: number): boolean {
  return id === COMPRESSION.none || codecs.has(id);
}

/** Makes `codecOf(id)` work. Rejects with `UNSUPPORTED_COMPRESSION_TYPE` when there is no such codec to be had. */
export async function loadCodec(id: number): Promise<void> {
  if (hasCodec(id)) return;
  if (loader === undefined || !isCompressionId(id)) throw unsupported(id);
  let pending = loading.get(id);
  if (pending === undefined) {
    pending = loader(id).then((codec) => setCodec(id, codec));
    loading.set(id, pending);
    // One that failed may be tried again: a browser loads over the network.
    void pending.catch(() => {}).finally(() => loading.delete(id));
  }
  try {
    await pending;
  } catch (cause) {
    throw unsupported(id, cause);
  }
}

/** Throws `UNSUPPORTED_COMPRESSION_TYPE` when there is none (yet: see `loadCodec`). */
export function codecOf(id: number): Codec {
  const codec = codecs.get(id);
  if (codec) return codec;
  throw unsupported(id);
}

function isCompressionId(id: number): id is CompressionId {
  return Object.values(COMPRESSION).some((known) => known === id);
}

function unsupported(id: number, cause?: unknown): KafkaError {
  const name = Object.entries(COMPRESSION).find(([, known]) => known === id)?.[0] ?? `id ${id}`;
  const why = cause === undefined ? 'no codec is installed' : 'the codec could not be loaded';
  return new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `${why} for compression ${name}`, { cause });
}
