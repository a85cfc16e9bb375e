/** Codecs for Node.js: native where there is a prebuilt one for this machine, else those that run anywhere. */

import { nativeGzip, nativeLz4, nativeSnappy, nativeZstd } from '../../platform/native-codecs.ts';
import type { Logger } from '../../platform/ports.ts';
import { COMPRESSION, type Codec, type CodecLoader } from '../compression.ts';
import { javascriptCodecs } from './javascript.ts';

export function nodeCodecs(logger: Logger): CodecLoader {
  return async (id) => (await native(id, logger)) ?? javascriptCodecs(id);
}

async function native(id: number, logger: Logger): Promise<Codec | undefined> {
  if (id === COMPRESSION.gzip) return nativeGzip();
  if (id === COMPRESSION.snappy) {
    const [blocks, { snappyCodec }] = await Promise.all([nativeSnappy(logger), import('./snappy.ts')]);
    return blocks && snappyCodec(blocks);
  }
  if (id === COMPRESSION.lz4) {
    const [frames, { lz4Codec }] = await Promise.all([nativeLz4(logger), import('./lz4.ts')]);
    return frames && lz4Codec(frames);
  }
  if (id === COMPRESSION.zstd) {
    const [zstd, { zstdCodec }] = await Promise.all([nativeZstd(), import('./zstd.ts')]);
    return zstd && zstdCodec(zstd.compress, zstd.decompress);
  }
  return undefined;
}
