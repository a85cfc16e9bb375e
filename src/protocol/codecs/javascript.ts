/**
 * Codecs that run anywhere, in JavaScript and WebAssembly. Each is loaded by itself when it is first needed, so that a
 * bundle for browsers carries them as chunks of their own.
 */

import { COMPRESSION, type Codec, type CodecLoader } from '../compression.ts';

export const javascriptCodecs: CodecLoader = async (id): Promise<Codec> => {
  switch (id) {
    case COMPRESSION.gzip:
      return (await import('./gzip.ts')).gzipCodec;
    case COMPRESSION.snappy: {
      const [{ snappyCodec }, { snappyCompress, snappyUncompress }] = await Promise.all([
        import('./snappy.ts'),
        import('./snappy-block.ts'),
      ]);
      return snappyCodec({ compress: snappyCompress, uncompress: snappyUncompress });
    }
    case COMPRESSION.lz4:
      return (await import('./lz4.ts')).lz4Codec();
    case COMPRESSION.zstd: {
      const [{ zstdCodec }, { Zstd }] = await Promise.all([
        import('./zstd.ts'),
        import('@hpcc-js/wasm-zstd'),
      ]);
      const zstd = await Zstd.load();
      return zstdCodec((bytes, level) => zstd.compress(bytes, level));
    }
    default:
      throw new Error(`there is no codec ${id}`);
  }
};
