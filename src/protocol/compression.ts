/**
 * The registry of compression codecs, by Kafka's ids. A broker never needs one (batches pass through it as they are);
 * producers and consumers install those that their platform offers.
 */

import { KafkaError } from './errors.ts';

export const COMPRESSION = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
export type CompressionId = (typeof COMPRESSION)[keyof typeof COMPRESSION];

export interface Codec {
  compress(bytes: Uint8Array): Uint8Array;
  /** Stops with an error as soon as the output grows beyond `bytesMax`: a small batch may be a bomb. */
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array;
}

const codecs = new Map<number, Codec>();

export function setCodec(id: CompressionId, codec: Codec): void {
  codecs.set(id, codec);
}

/** Throws `UNSUPPORTED_COMPRESSION_TYPE` when there is none. */
export function codecOf(id: number): Codec {
  const codec = codecs.get(id);
  if (codec) return codec;
  const name = Object.entries(COMPRESSION).find(([, known]) => known === id)?.[0] ?? `id ${id}`;
  throw new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', `no codec is installed for compression ${name}`);
}
