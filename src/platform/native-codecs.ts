/**
 * Compression in native code, as far as this machine offers it: Node's own zlib, and prebuilt addons. What is missing
 * is undefined; the protocol layer has a JavaScript twin of each.
 */

import type { Logger } from './ports.ts';

interface Compressor {
  compress(bytes: Uint8Array, level?: number): Uint8Array;
}

export interface BoundedCompressor extends Compressor {
  decompress(bytes: Uint8Array, bytesMax: number): Uint8Array;
}

export interface PlainCompressor extends Compressor {
  /** Of bytes whose size was checked before. */
  uncompress(bytes: Uint8Array): Uint8Array;
}

/** Node's zlib since 22.15. */
interface ZstdOfZlib {
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
  zstdCompressSync(bytes: Uint8Array, options: { params?: { [parameter: number]: number } }): Uint8Array;
  zstdDecompressSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}

export async function nativeGzip(): Promise<BoundedCompressor> {
  const { gzipSync, gunzipSync } = await import('node:zlib');
  return {
    compress: (bytes, level) => plain(gzipSync(bytes, level === undefined ? {} : { level })),
    decompress: (bytes, bytesMax) => plain(gunzipSync(bytes, { maxOutputLength: Math.max(1, bytesMax) })),
  };
}

/** Undefined before Node.js 22.15. */
export async function nativeZstd(): Promise<BoundedCompressor | undefined> {
  const zlib: object = await import('node:zlib');
  if (!hasZstd(zlib)) return undefined;
  const { constants, zstdCompressSync, zstdDecompressSync } = zlib;
  return {
    compress: (bytes, level) =>
      plain(
        zstdCompressSync(
          bytes,
          level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: level } },
        ),
      ),
    decompress: (bytes, bytesMax) =>
      plain(zstdDecompressSync(bytes, { maxOutputLength: Math.max(1, bytesMax) })),
  };
}

const hasZstd = (zlib: object): zlib is ZstdOfZlib => 'zstdCompressSync' in zlib;

/** Bare snappy blocks. */
export async function nativeSnappy(logger: Logger): Promise<PlainCompressor | undefined> {
  try {
    const { compressSync, uncompressSync } = await import('snappy');
    return proven({
      compress: (bytes) => plain(compressSync(bytes)),
      uncompress: (bytes) => plain(uncompressSync(bytes) as Buffer),
    });
  } catch (err) {
    logger.debug({ err }, 'Snappy is done in JavaScript, which is slower');
    return undefined;
  }
}

/** Whole LZ4 frames. */
export async function nativeLz4(logger: Logger): Promise<PlainCompressor | undefined> {
  try {
    const { compressFrameSync, decompressFrameSync } = await import('lz4-napi');
    return proven({
      compress: (bytes) => plain(compressFrameSync(asBuffer(bytes))),
      uncompress: (bytes) => plain(decompressFrameSync(asBuffer(bytes))),
    });
  } catch (err) {
    logger.debug({ err }, 'LZ4 is done in JavaScript, which is slower');
    return undefined;
  }
}

/** An addon that does not give back what it was given is worse than none. */
function proven(codec: PlainCompressor): PlainCompressor {
  const text = new TextEncoder().encode('what goes in comes out, what goes in comes out');
  const back = codec.uncompress(codec.compress(text));
  if (back.length !== text.length || back.some((byte, i) => byte !== text[i])) {
    throw new Error('the native codec does not give back what it was given');
  }
  return codec;
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

/** Not a Buffer: its `slice` would not copy. */
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
