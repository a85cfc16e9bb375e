/** gzip in JavaScript. */

import { Gunzip, gzipSync } from 'fflate';
import type { Codec } from '../compression.ts';
import { corrupt, joined, tooLarge } from './corrupt.ts';

const LEVEL_DEFAULT = 6;
type Level = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;
/** Handed to the decoder in such pieces, each of which can grow a thousandfold before it can be stopped. */
const PIECE_BYTES = 1_024;

export const gzipCodec: Codec = {
  // The time is left out: the same records make the same bytes.
  compress: (bytes, level = LEVEL_DEFAULT) => gzipSync(bytes, { level: level as Level, mtime: 0 }),
  decompress,
};

function decompress(bytes: Uint8Array, bytesMax: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let totalBytes = 0;
  let isComplete = false;
  const stream = new Gunzip((chunk, isLast) => {
    totalBytes += chunk.length;
    if (totalBytes > bytesMax) throw tooLarge(bytesMax);
    if (chunk.length > 0) chunks.push(chunk);
    isComplete ||= isLast;
  });
  for (let start = 0; start < bytes.length; start += PIECE_BYTES) {
    stream.push(bytes.subarray(start, start + PIECE_BYTES), start + PIECE_BYTES >= bytes.length);
  }
  if (!isComplete) throw corrupt('gzip data is cut off');
  return joined(chunks, totalBytes);
}
