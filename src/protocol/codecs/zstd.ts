/** Zstandard: frames are found and measured here, and decoded one by one with whatever does it fastest. */

import { Decompress, decompress as decompressWhole } from 'fzstd';
import type { Codec } from '../compression.ts';
import { joined, tooLarge } from './corrupt.ts';
import { type ZstdFrame, zstdFrames } from './zstd-frames.ts';

/** One frame, decoded; an error where that is more than `bytesMax`. */
export type ZstdDecoder = (frame: Uint8Array, bytesMax: number, at: ZstdFrame) => Uint8Array;

export function zstdCodec(compress: Codec['compress'], decode: ZstdDecoder = decodeInJavascript): Codec {
  return { compress, decompress: (bytes, bytesMax) => decompress(decode, bytes, bytesMax) };
}

function decompress(decode: ZstdDecoder, bytes: Uint8Array, bytesMax: number): Uint8Array {
  const chunks: Uint8Array[] = [];
  let totalBytes = 0;
  for (const frame of zstdFrames(bytes, bytesMax)) {
    const chunk = decode(bytes.subarray(frame.start, frame.end), bytesMax - totalBytes, frame);
    totalBytes += chunk.length;
    if (totalBytes > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  return joined(chunks, totalBytes);
}

const WINDOW_LOG_MIN = 10;
/** Below this a smaller window would lower the size that a block may have. */
const WINDOW_LOG_KEPT = 17;
const WINDOW_AT = 5;

const decodeInJavascript: ZstdDecoder = (frame, bytesMax, at) => {
  const { contentBytes } = at;
  if (contentBytes !== undefined && contentBytes > bytesMax) throw tooLarge(bytesMax);
  if (contentBytes !== undefined && contentBytes > 0) return decompressWhole(frame);
  const chunks: Uint8Array[] = [];
  let totalBytes = 0;
  const stream = new Decompress((chunk) => {
    totalBytes += chunk.length;
    if (totalBytes > bytesMax) throw tooLarge(bytesMax);
    // The decoder writes over what it handed out.
    if (chunk.length > 0) chunks.push(chunk);
  });
  stream.push(withSmallWindow(frame, bytesMax, at), true);
  return joined(chunks, totalBytes);
};

/** The decoder allocates the window that the header asks for; a short frame asks for megabytes that it cannot use. */
function withSmallWindow(frame: Uint8Array, bytesMax: number, at: ZstdFrame): Uint8Array {
  const { isSingleSegment, windowBytes, bytesBound } = at;
  const neededBytes = Math.max(1, Math.min(bytesBound, bytesMax));
  const neededLog = Math.max(WINDOW_LOG_KEPT, Math.ceil(Math.log2(neededBytes)));
  if (isSingleSegment || windowBytes <= 2 ** neededLog) return frame;
  const smaller = frame.slice();
  smaller[WINDOW_AT] = (neededLog - WINDOW_LOG_MIN) << 3;
  return smaller;
}
